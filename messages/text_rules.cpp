#include "messages/text_rules.hpp"

#include <algorithm>

#include "messages/address.hpp"
#include "messages/ip_range.hpp"

namespace troupe::text_rules {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9');
}

bool is_name_character(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

bool is_name(std::string_view text) {
  constexpr std::size_t longest = 64;
  return !text.empty() && text.size() <= longest && is_alphanumeric(text[0])
         && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_host(std::string_view text) {
  return is_ip_address(text) || is_dns_name(text);
}

bool is_host_and_port(std::string_view text) {
  return parse_endpoint(text).has_value();
}

bool is_url_path(std::string_view text) {
  auto is_blank_or_control = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  };
  return text.starts_with('/')
         && std::none_of(text.begin(), text.end(), is_blank_or_control);
}

template <bool (*Holds)(std::string_view)>
bool empty_or(std::string_view text) {
  return text.empty() || Holds(text);
}

} // namespace

const text_rule not_empty = {
  "a text that is not empty",
  [](std::string_view text) { return !text.empty(); },
};

const text_rule name = {
  "1 to 64 of A-Z a-z 0-9 . _ - (first a letter or digit)",
  is_name,
};

const text_rule optional_name = {
  "empty or 1 to 64 of A-Z a-z 0-9 . _ - (first a letter or digit)",
  empty_or<is_name>,
};

const text_rule ip_address = {"an IP address", is_ip_address};

const text_rule ip_range = {
  ip_range_format,
  [](std::string_view text) { return parse_ip_range(text).has_value(); },
};

const text_rule host = {"an IP address or a DNS name", is_host};

const text_rule optional_host = {
  "empty, an IP address or a DNS name",
  empty_or<is_host>,
};

const text_rule optional_dns_name = {
  "empty or a DNS name",
  empty_or<is_dns_name>,
};

const text_rule host_and_port = {endpoint_format, is_host_and_port};

const text_rule optional_host_and_port = {
  "empty or host:port, as 10.0.0.2:8600, consul:8600 or [::1]:8600",
  empty_or<is_host_and_port>,
};

const text_rule url_path = {"a path that begins with /", is_url_path};

} // namespace troupe::text_rules

#include "messages/text_rules.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

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

bool is_ipv6_address(std::string_view text) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string{text}.c_str(), &address) == 1;
}

bool is_ip_address(std::string_view text) {
  in_addr address;
  return inet_pton(AF_INET, std::string{text}.c_str(), &address) == 1
         || is_ipv6_address(text);
}

bool is_label(std::string_view text) {
  constexpr std::size_t longest = 63;
  auto is_part = [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= longest && text.front() != '-'
         && text.back() != '-'
         && std::all_of(text.begin(), text.end(), is_part);
}

bool is_dns_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  if (text.size() > longest)
    return false;
  if (text.ends_with('.'))
    text.remove_suffix(1);
  // All digits and dots: an address with a mistake in it, not a name.
  if (text.find_first_not_of("0123456789.") == text.npos)
    return false;
  while (true) {
    auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)))
      return false;
    if (dot == text.npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_host(std::string_view text) {
  return is_ip_address(text) || is_dns_name(text);
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, port);
  return failure == std::errc{} && end == last && port > 0;
}

bool is_host_and_port(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos || !is_port(text.substr(colon + 1)))
    return false;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    return is_ipv6_address(host.substr(1, host.size() - 2));
  return host.find(':') == host.npos && is_host(host);
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

const text_rule host = {"an IP address or a DNS name", is_host};

const text_rule optional_host = {
  "empty, an IP address or a DNS name",
  empty_or<is_host>,
};

const text_rule host_and_port = {
  "host:port, as 10.0.0.5:3007, node-2:3007 or [::1]:3007",
  is_host_and_port,
};

const text_rule url_path = {"a path that begins with /", is_url_path};

} // namespace troupe::text_rules

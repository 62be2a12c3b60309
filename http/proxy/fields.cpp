#include "http/proxy/fields.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::proxying {

namespace {

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string in_small_letters(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

} // namespace

bool iequals(std::string_view lhs, std::string_view rhs) noexcept {
  return std::equal(lhs.begin(), lhs.end(), rhs.begin(), rhs.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool authenticates_connection(std::string_view value) {
  // Credentials begin with their scheme; of challenges there may be several,
  // with parameters that contain commas themselves (RFC 9110 §11.6.1). A comma
  // within a quoted text only makes this see one scheme too many.
  while (!value.empty()) {
    auto end = value.find(',');
    auto element = value.substr(0, end);
    value.remove_prefix(end == value.npos ? value.size() : end + 1);
    element.remove_prefix(
      std::min(element.find_first_not_of(" \t"), element.size()));
    auto scheme = element.substr(0, element.find_first_of(" \t"));
    for (auto one : {"NTLM", "Negotiate", "Nego2"})
      if (iequals(scheme, one))
        return true;
  }
  return false;
}

void connection_options::add(std::string_view value) {
  while (!value.empty()) {
    auto comma = value.find(',');
    auto token = trim(value.substr(0, comma));
    value.remove_prefix(comma == value.npos ? value.size() : comma + 1);
    if (iequals(token, "upgrade"))
      upgrade = true;
    else if (!token.empty() && !iequals(token, "close")
             && !iequals(token, "keep-alive") && !iequals(token, "host")
             && !iequals(token, "cdn-loop"))
      fields_.push_back(in_small_letters(token));
  }
}

std::uint32_t count_elements(std::string_view list, std::string_view element) {
  std::uint32_t count = 0;
  while (!list.empty()) {
    auto end = list.find(',');
    auto one = list.substr(0, end);
    list.remove_prefix(end == list.npos ? list.size() : end + 1);
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    count += one.substr(0, one.find_first_of(" \t;")) == element ? 1 : 0;
  }
  return count;
}

void connection_options::remove_named_fields(std::string& message,
                                             std::size_t from) const {
  if (fields_.empty())
    return;
  // Both may be thousands, and chosen so that a hash table is of no use.
  std::vector<std::string_view> names{fields_.begin(), fields_.end()};
  std::sort(names.begin(), names.end());
  auto kept = from;
  for (auto line = from; line < message.size();) {
    auto next = std::min(message.find("\r\n", line), message.size() - 2) + 2;
    auto text = std::string_view{message}.substr(line, next - line);
    auto name = in_small_letters(text.substr(0, text.find(':')));
    if (!std::binary_search(names.begin(), names.end(), name)) {
      std::copy(text.begin(), text.end(), message.data() + kept);
      kept += text.size();
    }
    line = next;
  }
  message.resize(kept);
}

own_field own_field_of(std::string_view name) noexcept {
  constexpr std::string_view prefix = "x-forwarded-";
  auto dashed = [](char c) { return c == '_' ? '-' : lower(c); };
  auto is = [&](std::string_view other) {
    return std::equal(name.begin(), name.end(), other.begin(), other.end(),
                      [&](char a, char b) { return dashed(a) == b; });
  };
  if (is("proxy"))
    return own_field::never;
  if (name.empty() || lower(name[0]) != 'x')
    return own_field::none;
  auto result = own_field::none;
  if (is("x-request-id"))
    result = own_field::request_id;
  else if (is("x-real-ip"))
    result = own_field::other_claim;
  else if (name.size() < prefix.size()
           || !std::equal(prefix.begin(), prefix.end(), name.begin(),
                          [&](char a, char b) { return a == dashed(b); }))
    return own_field::none;
  else if (is("x-forwarded-for"))
    result = own_field::forwarded_for;
  else if (is("x-forwarded-host"))
    result = own_field::forwarded_host;
  else if (is("x-forwarded-proto"))
    result = own_field::forwarded_proto;
  else
    result = own_field::other_claim;
  return name.find('_') == name.npos ? result : own_field::never;
}

void append_field(std::string& message, std::string_view name,
                  std::string_view value) {
  if (value.empty()) {
    message.append(name).append(":\r\n");
    return;
  }
  auto size = static_cast<std::size_t>(value.data() - name.data());
  message.append(name.data(), size + value.size()).append("\r\n");
}

void append_chunk_header(std::string& message, std::uint64_t size) {
  char digits[16];
  auto end = std::to_chars(digits, digits + sizeof(digits), size, 16).ptr;
  message.append(digits, static_cast<std::size_t>(end - digits));
  message.append("\r\n");
}

} // namespace troupe::proxying

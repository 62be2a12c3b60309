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

} // namespace

bool iequals(std::string_view lhs, std::string_view rhs) noexcept {
  auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  return std::equal(lhs.begin(), lhs.end(), rhs.begin(), rhs.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
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
             && !iequals(token, "keep-alive"))
      fields.emplace_back(token);
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

void remove_fields(std::string& message, std::size_t from,
                   const std::vector<std::string>& names) {
  auto line = from;
  while (line < message.size()) {
    auto end = message.find("\r\n", line);
    auto next = end == message.npos ? message.size() : end + 2;
    auto text = std::string_view{message}.substr(line, next - line);
    auto name = text.substr(0, text.find(':'));
    auto named = [&](auto& other) { return iequals(name, other); };
    if (!iequals(name, "host") && !iequals(name, "cdn-loop")
        && std::any_of(names.begin(), names.end(), named))
      message.erase(line, next - line);
    else
      line = next;
  }
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

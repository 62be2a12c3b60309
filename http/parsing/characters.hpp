#pragma once

#include <string_view>

// The kinds of characters that HTTP's grammar knows.

namespace troupe {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool is_hex_digit(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// A letter, a digit, or one of `others`.
constexpr bool is_alphanumeric_or(char c, std::string_view others) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || others.find(c) != std::string_view::npos;
}

/// Of a method, a field's name (RFC 9110 §5.6.2).
constexpr bool is_token_char(char c) noexcept {
  return is_alphanumeric_or(c, "!#$%&'*+-.^_`|~");
}

/// Of a host's name, unescaped (RFC 3986 §3.2.2).
constexpr bool is_name_char(char c) noexcept {
  return is_alphanumeric_or(c, "-._~!$&'()*+,;=");
}

/// What may stand in no line but at its end. A tab may.
constexpr bool is_control(char c) noexcept {
  return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f;
}

} // namespace troupe

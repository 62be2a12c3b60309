#include "http/parsing/request_target.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include <boost/beast/core/string.hpp>

#include "http/parsing/characters.hpp"

namespace troupe {

namespace {

bool is_reg_name(std::string_view text) noexcept {
  while (!text.empty()) {
    auto escaped = text[0] == '%';
    if (escaped
          ? text.size() < 3 || !is_hex_digit(text[1]) || !is_hex_digit(text[2])
          : !is_name_char(text[0]))
      return false;
    text.remove_prefix(escaped ? 3 : 1);
  }
  return true;
}

/// Without brackets. IPvFuture, the other literal, has no address so far.
bool is_ipv6_address(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  // A NUL would end the text for inet_pton.
  if (text.size() >= terminated.size() || text.find('\0') != text.npos)
    return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr ignored;
  return inet_pton(AF_INET6, terminated.data(), &ignored) == 1;
}

bool is_port(std::string_view text) noexcept {
  constexpr unsigned highest = 65535;
  unsigned number = 0;
  auto end = text.data() + text.size();
  return text.empty()
         || (std::all_of(text.begin(), text.end(), is_digit)
             && std::from_chars(text.data(), end, number).ec == std::errc{}
             && number <= highest);
}

} // namespace

bool is_authority(std::string_view text) noexcept {
  auto is_literal = text.starts_with('[');
  auto end = is_literal ? text.find(']') : text.find(':');
  if (is_literal && end == text.npos)
    return false;
  auto host = text.substr(is_literal ? 1 : 0, is_literal ? end - 1 : end);
  auto rest =
    end == text.npos ? std::string_view{} : text.substr(end + is_literal);
  return !host.empty()
         && (is_literal ? is_ipv6_address(host) : is_reg_name(host))
         && (rest.empty() || (rest[0] == ':' && is_port(rest.substr(1))));
}

bool is_host_field(std::string_view text) noexcept {
  return text.empty() || is_authority(text);
}

request_target read_target(std::string_view text) noexcept {
  constexpr std::string_view scheme = "http://";
  // What a server takes for the path's end, a router may take for a part of it.
  if (text.find('#') != text.npos)
    return {
      {}, {}, "the request target has a fragment, which is not to be sent"};
  if (text.starts_with('/') || text == "*")
    return {{}, text, {}};
  if (!boost::beast::iequals(
        {text.data(), std::min(text.size(), scheme.size())},
        {scheme.data(), scheme.size()}))
    return {{}, {}, "the request target is not a path"};
  text.remove_prefix(scheme.size());
  auto authority = text.substr(0, text.find_first_of("/?"));
  if (!is_authority(authority))
    return {{}, {}, "the request target's authority is not a host and port"};
  return {authority, text.substr(authority.size()), {}};
}

} // namespace troupe

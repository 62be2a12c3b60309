#include "messages/address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace troupe {

namespace {

bool is_ipv6_address(std::string_view text) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string{text}.c_str(), &address) == 1;
}

bool is_label(std::string_view text) {
  constexpr std::size_t longest = 63;
  auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= longest && text.front() != '-'
         && text.back() != '-'
         && std::all_of(text.begin(), text.end(), is_part);
}

/// From 1 to 65535; 0 stands for anything else.
std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, port);
  return failure == std::errc{} && end == last ? port : 0;
}

} // namespace

bool is_ip_address(std::string_view text) {
  // A NUL would end the text for inet_pton.
  if (text.find('\0') != text.npos)
    return false;
  in_addr address;
  return inet_pton(AF_INET, std::string{text}.c_str(), &address) == 1
         || is_ipv6_address(text);
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

std::string canonical_host(std::string_view host) {
  std::string text{host};
  in6_addr address;
  char printed[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, text.c_str(), &address) == 1) {
    if (IN6_IS_ADDR_V4MAPPED(&address))
      return inet_ntop(AF_INET, &address.s6_addr[12], printed, sizeof(printed));
    return inet_ntop(AF_INET6, &address, printed, sizeof(printed));
  }
  if (text.ends_with('.'))
    text.pop_back();
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + ('a' - 'A'));
  return text;
}

bool same_endpoint(const endpoint& one, const endpoint& other) {
  if (one.port != other.port)
    return false;
  auto a = canonical_host(one.host);
  auto b = canonical_host(other.host);
  auto is_localhost = [](std::string_view host) {
    return host == "localhost" || host.ends_with(".localhost");
  };
  auto is_loopback = [&](std::string_view host) {
    return is_localhost(host) || host == "127.0.0.1" || host == "::1";
  };
  if (is_localhost(a) || is_localhost(b))
    return is_loopback(a) && is_loopback(b);
  return a == b;
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos)
    return std::nullopt;
  auto port = parse_port(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  auto bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  auto has_colon = host.find(':') != host.npos;
  if (port == 0 || bracketed != has_colon)
    return std::nullopt;
  if (!is_ip_address(host) && !is_dns_name(host))
    return std::nullopt;
  return endpoint{std::string{host}, port};
}

} // namespace troupe

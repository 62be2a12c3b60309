#include "messages/ip_range.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include <arpa/inet.h>

namespace troupe {

namespace {

constexpr unsigned mapped_bits = 96;

/// Digits only, at most `highest`.
std::optional<unsigned> parse_bits(std::string_view text, unsigned highest) {
  unsigned bits = 0;
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, bits);
  if (failure != std::errc{} || end != last || bits > highest)
    return std::nullopt;
  return bits;
}

bool is_ipv4(std::string_view text) {
  return text.find(':') == text.npos;
}

} // namespace

bool ip_range::contains(const address& one) const noexcept {
  for (unsigned i = 0; i < first.size() && i * 8 < prefix_bits; ++i) {
    auto ignored = std::max(0, 8 - static_cast<int>(prefix_bits - i * 8));
    if ((first[i] ^ one[i]) >> ignored != 0)
      return false;
  }
  return true;
}

std::optional<ip_range::address> parse_ip_address(std::string_view text) {
  // A NUL would end the text for inet_pton.
  if (text.find('\0') != text.npos)
    return std::nullopt;
  std::string terminated{text};
  ip_range::address result{};
  if (is_ipv4(text)) {
    result[10] = result[11] = 0xff;
    if (inet_pton(AF_INET, terminated.c_str(), &result[12]) != 1)
      return std::nullopt;
  } else if (inet_pton(AF_INET6, terminated.c_str(), result.data()) != 1) {
    return std::nullopt;
  }
  return result;
}

std::optional<ip_range> parse_ip_range(std::string_view text) {
  auto slash = text.find('/');
  auto host = text.substr(0, slash);
  auto address = parse_ip_address(host);
  if (!address)
    return std::nullopt;
  ip_range result{*address};
  if (slash != text.npos) {
    auto offset = is_ipv4(host) ? mapped_bits : 0;
    auto bits = parse_bits(text.substr(slash + 1), 128 - offset);
    if (!bits)
      return std::nullopt;
    result.prefix_bits = offset + *bits;
  }
  return result;
}

bool contains(const std::vector<ip_range>& ranges, std::string_view address) {
  if (ranges.empty())
    return false;
  auto one = parse_ip_address(address);
  return one && std::any_of(ranges.begin(), ranges.end(), [&](auto& range) {
           return range.contains(*one);
         });
}

} // namespace troupe

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe {

/// The addresses that begin with the same bits (CIDR, RFC 4632 and 4291 §2.3).
/// IPv4 ones are held as the IPv6 addresses that stand for them
/// (::ffff:0:0/96), so that one kind covers a client of both kinds of socket.
struct ip_range {
  using address = std::array<std::uint8_t, 16>;

  address first{};
  /// How many leading bits count, of 128.
  unsigned prefix_bits = 128;

  bool contains(const address& one) const noexcept;
};

/// How a range is written, in words.
inline constexpr std::string_view ip_range_format =
  "an IP address or a range, as 10.0.0.0/8 or fd00::/8";

/// An IPv4 or IPv6 address, without port or brackets.
std::optional<ip_range::address> parse_ip_address(std::string_view text);

/// Reads an address, or an address, `/` and the bits that count. Bits behind
/// those are ignored. Nothing when `text` is not as `ip_range_format` says.
std::optional<ip_range> parse_ip_range(std::string_view text);

/// Whether one of the ranges has this address. No for what is no address.
bool contains(const std::vector<ip_range>& ranges, std::string_view address);

} // namespace troupe

#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// What two gates without certificates say to each other before anything else.
/// It tells a node from everything else that may connect, and whether both
/// sides are of one mind about TLS.
inline constexpr std::string_view plain_greeting = "troupe/plain\r\n";

/// What a gate with certificates answers to it, before it closes.
inline constexpr std::string_view tls_wanted = "troupe/tls\r\n\r\n";

static_assert(plain_greeting.size() == tls_wanted.size());

/// Who sent the first bytes of a connection.
enum class first_speaker : std::uint8_t {
  /// Too few bytes to tell.
  unknown_yet,
  /// A TLS record (RFC 8446 §5.1): a node with certificates, or anybody.
  tls,
  /// A node without certificates.
  plain_node,
  /// A node with certificates that refuses one without.
  tls_node,
  /// A browser, a scanner.
  http,
  /// CAF's own protocol without our greeting, as another program on CAF or an
  /// old node speaks it.
  bare_caf,
  stranger,
};

/// @param bytes all that came so far, or the beginning of it.
first_speaker who_speaks(std::string_view bytes);

/// As the end of a sentence that begins with the address.
std::string_view describe(first_speaker who);

} // namespace troupe

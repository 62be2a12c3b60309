#pragma once

#include <string_view>

namespace troupe {

/// Whether `text` is `host` or `host:port` as a request names it (RFC 3986
/// §3.2.2): a name, an IPv4 address or an IPv6 address in brackets, and a port
/// up to 65535, which may be empty after its colon. No user information, which
/// HTTP has no use for (RFC 9110 §4.2.4).
bool is_authority(std::string_view text) noexcept;

/// What stands in `Host`: as `is_authority`, or nothing, which a client sends
/// whose target has no authority (RFC 9112 §3.2).
bool is_host_field(std::string_view text) noexcept;

/// A request's target (RFC 9112 §3.2), taken apart.
struct request_target {
  /// Of absolute-form; else empty.
  std::string_view authority;
  /// Path and query: `/a?b`; `*`; or `?b` and nothing, where absolute-form has
  /// no path.
  std::string_view path;
  /// Why it is not taken; else empty.
  std::string_view wrong;
};

request_target read_target(std::string_view text) noexcept;

/// What is said of a `Host` that `is_host_field` does not take.
inline constexpr std::string_view bad_host =
  "the Host field is not a host and port";

} // namespace troupe

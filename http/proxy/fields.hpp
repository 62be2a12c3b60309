#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/field.hpp>

// Rules for single header fields, shared by both directions.

namespace troupe::proxying {

/// Whether a field is for one connection only and must not be forwarded as it
/// came (RFC 9110 §7.6.1). Framing and Upgrade are among them: the forwarders
/// write their own.
constexpr bool is_hop_by_hop(boost::beast::http::field name) {
  using boost::beast::http::field;
  switch (name) {
    case field::connection:
    case field::keep_alive:
    case field::proxy_connection:
    case field::proxy_authenticate:
    case field::proxy_authorization:
    case field::te:
    // Trailers are not forwarded, so none are announced (RFC 9110 §6.6.2).
    case field::trailer:
    case field::transfer_encoding:
    case field::upgrade:
      return true;
    default:
      return false;
  }
}

bool iequals(std::string_view lhs, std::string_view rhs) noexcept;

/// Whether a field with credentials or challenges names a scheme by which a
/// server authenticates the connection and not the request: NTLM, Negotiate
/// (RFC 4559 §6).
bool authenticates_connection(std::string_view value);

/// What a `Connection` field asks for, besides `close` and `keep-alive`, which
/// the parser knows.
struct connection_options {
  bool upgrade = false;

  /// Adds the options of one more field line.
  void add(std::string_view value);

  /// Removes the fields that are for this connection only from a message's
  /// header lines, which start at `from` in `message`. `Host` and `CDN-Loop`
  /// stay whatever is asked: a client that names them must not change which
  /// site is meant, nor hide a loop.
  void remove_named_fields(std::string& message, std::size_t from) const;

private:
  /// In small letters.
  std::vector<std::string> fields_;
};

/// How often `element` stands in a comma-separated list, parameters aside.
std::uint32_t count_elements(std::string_view list, std::string_view element);

/// What a field is to the proxy, which tells servers the like itself.
enum class own_field : std::uint8_t {
  none,
  request_id,
  forwarded_for,
  forwarded_host,
  forwarded_proto,
  /// Another X-Forwarded field, or X-Real-IP.
  other_claim,
  /// Never forwarded: `Proxy`, which CGI programs take for a setting
  /// (CVE-2016-5385), and the names above with `_` for `-`, which they can't
  /// tell from the real ones.
  never
};

own_field own_field_of(std::string_view name) noexcept;

/// Appends `name: value` as it was received, from the name's first character
/// to the value's last, which the parser gives as parts of one text.
void append_field(std::string& message, std::string_view name,
                  std::string_view value);

/// Appends `size` as a chunk's first line.
void append_chunk_header(std::string& message, std::uint64_t size);

} // namespace troupe::proxying

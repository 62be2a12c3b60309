#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/cluster_state.hpp"

namespace troupe {

/// An IPv4 or IPv6 address, without port or brackets.
bool is_ip_address(std::string_view text);

/// A DNS name (RFC 1123 §2.1, underscores tolerated), the last dot or not.
bool is_dns_name(std::string_view text);

/// One spelling for each host: names in lower case and without the last dot,
/// addresses as RFC 5952 writes them, IPv4 within IPv6 as IPv4.
std::string canonical_host(std::string_view host);

/// Whether both lead to the same place, as far as that can be told without a
/// resolver. `localhost` is each of the loopback addresses (RFC 6761 §6.3).
bool same_endpoint(const endpoint& one, const endpoint& other);

/// How an endpoint is written, in words.
inline constexpr std::string_view endpoint_format =
  "host:port, as 10.0.0.5:3007, node-2:3007 or [::1]:3007";

/// Reads what `to_string` prints for an endpoint. Nothing when `text` is not as
/// `endpoint_format` says.
std::optional<endpoint> parse_endpoint(std::string_view text);

} // namespace troupe

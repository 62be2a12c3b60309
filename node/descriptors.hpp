#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "node/config/configuration.hpp"

namespace troupe {

/// Raises the soft limit of open descriptors to the hard one. Returns what
/// holds now.
std::uint64_t raise_descriptor_limit();

/// How the descriptors that the process may open are shared out, so that
/// clients never take those of the replicated log and of the other nodes.
struct descriptor_plan {
  /// For everything but clients' connections: logs, the cluster, health checks.
  std::uint64_t own = 0;
  /// Connections to the API.
  std::uint32_t api_connections = 0;
  /// Clients' connections to the proxy.
  std::uint32_t proxy_connections = 0;
  /// All connections of the proxy, to clients and servers.
  std::uint64_t proxy = 0;
};

/// What a node wants under these settings: each client of the proxy has a
/// connection to a server beside its own.
std::uint64_t descriptors_needed(const configuration& settings);

/// Shares `limit` out. Less than what is needed makes the limits of both ports
/// less than the settings say; the API keeps a quarter at least.
descriptor_plan plan_descriptors(const configuration& settings,
                                 std::uint64_t limit);

/// What to tell the operator when `limit` is less than what is needed.
std::optional<std::string> descriptor_shortage(const configuration& settings,
                                               std::uint64_t limit);

} // namespace troupe

#pragma once

#include "discovery/peer_source/peer_source.hpp"

namespace troupe {

/// Every address (A and AAAA records) of a name: `discovery.dns`.
struct dns_peers_config {
  std::string name;
  /// The cluster port of the nodes found.
  std::uint16_t port = 3007;
};

/// Blocks as long as the system's resolver does.
std::shared_ptr<peer_finder> find_by_dns(dns_peers_config config);

} // namespace troupe

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <caf/typed_actor.hpp>

#include "messages/directory.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Finds the addresses of nodes and tells the `peering` actor.
using peer_source_actor =
  caf::typed_actor<caf::reacts_to<tick>>::extend_with<status_protocol>;

/// Addresses from the configuration: `discovery.nodes`.
struct static_peers_config {
  std::vector<endpoint> nodes;
};

/// Every address (A and AAAA records) of a name: `discovery.dns`.
struct dns_peers_config {
  std::string name;
  /// The cluster port of the nodes found.
  std::uint16_t port = 3007;
  /// Between two look-ups; a failed one is repeated after a second.
  std::chrono::milliseconds interval{10'000};
};

peer_source_actor spawn_static_peers(caf::actor_system& system,
                                     static_peers_config config,
                                     directory_ptr names);

/// Detached: the resolver blocks.
peer_source_actor spawn_dns_peers(caf::actor_system& system,
                                  dns_peers_config config, directory_ptr names);

} // namespace troupe

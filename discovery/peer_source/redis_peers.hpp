#pragma once

#include "discovery/peer_source/peer_source.hpp"

namespace troupe {

/// Nodes that register themselves in a Redis: `discovery.redis`.
struct redis_peers_config {
  endpoint server;
  /// Empty: none is sent.
  std::string password;
  /// How long a registration outlives the last look of the node it is of.
  std::chrono::milliseconds time_to_live{15'000};
  std::string cluster_name;
  /// Registered under this id at each look.
  member_id self = member_id::none;
  endpoint self_address;
  /// To connect, and for each reply.
  std::chrono::milliseconds timeout{1000};
};

/// Blocks for up to 5 s, and as long as the system's resolver does. `withdraw`
/// takes back the registration.
std::shared_ptr<peer_finder> find_in_redis(redis_peers_config config);

} // namespace troupe

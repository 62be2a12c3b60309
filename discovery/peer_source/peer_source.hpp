#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

#include "discovery/peer_source/backoff.hpp"
#include "messages/directory.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Looks for the addresses of nodes at one place, again and again, and tells
/// the `peering` actor. A place that is down is asked again after a growing
/// wait; what it said before still counts.
using peer_source_actor =
  caf::typed_actor<caf::reacts_to<tick>>::extend_with<status_protocol>;

/// What one look brought.
struct findings {
  std::vector<endpoint> addresses;
  /// What is wrong with parts of it and what would be right. Each is logged
  /// once.
  std::vector<std::string> complaints;
};

/// A place where addresses of nodes stand.
class peer_finder {
public:
  virtual ~peer_finder() = default;

  /// Everything that stands there now. May block for some seconds.
  /// Errors: unavailable, in words for the log.
  virtual caf::expected<findings> look() = 0;

  /// The node stops: what it has left there is taken back.
  virtual void withdraw() {}
};

struct peer_source_config {
  /// Of the actor: `dns_peers`.
  std::string name;
  /// Between two looks.
  std::chrono::milliseconds interval{1000};
  /// Between two looks while they fail.
  backoff_policy retry;
  /// Of the retry's jitter.
  std::uint64_t seed = 0;
};

/// For a finder that never blocks.
peer_source_actor spawn_peer_source(caf::actor_system& system,
                                    peer_source_config config,
                                    std::shared_ptr<peer_finder> finder,
                                    directory_ptr names);

/// On a thread of its own.
peer_source_actor
spawn_blocking_peer_source(caf::actor_system& system, peer_source_config config,
                           std::shared_ptr<peer_finder> finder,
                           directory_ptr names);

} // namespace troupe

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <caf/typed_actor.hpp>

#include "discovery/transport/dialer.hpp"
#include "messages/directory.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Keeps one session with each other node: dials the addresses it knows,
/// greets, checks that both fit together, exchanges handles, and notices when
/// the peer is gone. It is the one actor that is published on the cluster port.
///
///     address known ──dial──▶ connected ──hello──▶ session ──DOWN──▶ dial …
///          ▲                      │ refused           (peer_up)    (peer_down)
///          └──── backoff ◀────────┘
using peering_actor = caf::typed_actor<
  /// First message of a peer. Errors: incompatible.
  caf::replies_to<hello>::with<hello>,
  /// A peer's actors have changed (one was restarted). Counts only from the
  /// process with which the session stands.
  caf::reacts_to<peer_up>,
  /// Addresses to dial, from a peer source.
  caf::reacts_to<peer_candidates>,
  /// Dials what is due and spreads news of restarted actors.
  caf::reacts_to<tick>>::extend_with<status_protocol>;

struct peering_config {
  node_info self;
  std::string cluster_name;
  /// Configuration that all nodes must agree on, by path.
  std::map<std::string, std::string> shared_settings;
  /// First and last delay between two dials of an address.
  std::chrono::milliseconds min_backoff{100};
  std::chrono::milliseconds max_backoff{2000};
  /// How long an address is dialled that no source and no member names any
  /// more.
  std::chrono::milliseconds forget_unnamed{300'000};
  /// How long a greeted peer may take to answer.
  std::chrono::milliseconds hello_timeout{1000};
  std::uint64_t seed = 0;
};

/// The uuid of the cluster that this node's data belongs to; empty: none yet.
using cluster_uuid_function = std::function<std::string()>;

/// Tells `catalog` and `membership` in `names` of sessions that begin and end.
/// @param dialer connects to the other nodes' cluster ports.
peering_actor spawn_peering(caf::actor_system& system, peering_config config,
                            dialer_actor dialer, cluster_view view,
                            directory_ptr names,
                            cluster_uuid_function cluster_uuid);

} // namespace troupe

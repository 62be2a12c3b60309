#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "discovery/catalog/request_ids.hpp"
#include "discovery/raft/raft_log.hpp"
#include "messages/cluster_state.hpp"
#include "messages/lease.hpp"
#include "messages/log_disk.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// The replicated state: one Raft member with its state machine. It publishes
/// each new state to the `cluster_view` it was given; reading costs nobody a
/// message.
using catalog_actor = caf::typed_actor<
  /// Changes the state through whichever node leads. Answered after the
  /// command was committed and applied here, so the caller reads its own
  /// write. A command that the state refuses is answered with its `code` set.
  /// Errors, when it was not committed in time, but may still be later:
  /// no_quorum (no leader is known), timed_out.
  caf::replies_to<propose>::with<apply_result>,
  /// A key as this node knows it. Errors: not_found.
  caf::replies_to<read_key>::with<catalog_value>,
  caf::replies_to<list_keys>::with<key_list>,
  /// The same as `propose` between nodes. Errors: not_leader.
  caf::replies_to<forward_command>::with<apply_result>,
  /// A message of the peer's catalog.
  caf::reacts_to<raft_message_bytes>,
  /// The same in parts, when it is large. Errors: conflict (not the part that
  /// comes next), corrupt.
  caf::replies_to<raft_message_part>::with<done>,
  /// Starts a cluster with this node as its only voter.
  caf::replies_to<bootstrap_cluster>::with<done>,
  caf::replies_to<set_raft_role>::with<done>,
  caf::replies_to<transfer_leadership>::with<done>,
  /// From the peering actor: how to reach a peer's catalog, or that it is
  /// gone.
  caf::reacts_to<peer_up>, caf::reacts_to<peer_down>,
  caf::reacts_to<sessions_reset>,
  /// Raft's timeout, and deadlines.
  caf::reacts_to<tick>>::extend_with<status_protocol>;

struct catalog_config {
  node_info self;
  /// This process's commands get their ids here.
  std::shared_ptr<request_ids> ids = std::make_shared<request_ids>();
  /// Heartbeat of a leader. The same on all nodes.
  std::chrono::milliseconds heartbeat{75};
  /// Lower bound of the randomized election timeout. The same on all nodes.
  std::chrono::milliseconds election_timeout{300};
  /// How long a proposal is tried before `no_quorum`.
  std::chrono::milliseconds propose_deadline{5000};
  /// Log entries, or bytes of them, after which a snapshot is taken; more where
  /// the last one had more bytes than that.
  std::uint32_t snapshot_threshold = 8192;
  std::uint64_t snapshot_bytes = 4 << 20;
  /// Entries kept behind it, which spare a follower the snapshot.
  std::uint32_t snapshot_trailing = 1024;
  /// A larger message to a peer goes in parts of a quarter of that.
  std::uint32_t max_message_bytes = 1 << 20;
  /// Whether a snapshot is made on a thread of its own; not where time is
  /// virtual.
  bool encodes_on_own_thread = true;
  /// Seeds the election's randomness; tests fix it.
  std::uint32_t seed = 0;

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// Starts the catalog. `log` outlives it; `view` receives every state, the
/// first one once the log is read. Ends with the log's error when the log can't
/// be read or written, or contradicts the cluster: fatal for the node.
/// `leadership` is held while this node is the only one that can lead. While
/// `disk`, that of the log, is full or hangs, the node leaves leadership to
/// others; `disk` says so.
catalog_actor spawn_catalog(caf::actor_system& system, catalog_config config,
                            raft_log_actor log, cluster_view view,
                            lease_ptr leadership,
                            log_disk_ptr disk = std::make_shared<log_disk>());

} // namespace troupe

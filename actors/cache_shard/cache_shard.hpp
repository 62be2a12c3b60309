#pragma once

#include <chrono>
#include <cstdint>

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "messages/cluster_state.hpp"
#include "messages/directory.hpp"
#include "messages/lease.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Holds the entries of the slots `s` that belong to this node and for which
/// `s % shards == index`. One per io thread, so that a request is answered on
/// the thread that read it.
using cache_shard_actor = caf::typed_actor<
  /// Errors: not_found (absent or expired), wrong_owner, and for this and the
  /// next three: unavailable (no slots are assigned yet; for writes also: the
  /// node's lease has ended).
  caf::replies_to<cache_get>::with<cache_value>,
  /// Whoever owns the slot by now. Errors: not_found.
  caf::replies_to<cache_peek>::with<cache_value>,
  /// Errors: too_large, wrong_owner.
  caf::replies_to<cache_set>::with<cache_count>,
  /// Count is 0 when it was not there. Errors: wrong_owner.
  caf::replies_to<cache_delete>::with<cache_count>,
  caf::replies_to<cache_clear>::with<cache_count>,
  /// Entries of a slot that was moved here. The count is of those taken.
  /// Errors: unavailable (the sender's slot table is newer than ours).
  caf::replies_to<cache_import>::with<cache_count>,
  caf::replies_to<get_cache_stats>::with<cache_stats>,
  /// Takes over a new slot table.
  caf::reacts_to<state_changed>,
  /// Removes expired entries and hands over those of slots that moved.
  caf::reacts_to<tick>>::extend_with<status_protocol>;

struct cache_shard_config {
  member_id self = member_id::none;
  std::uint32_t index = 0;
  std::uint32_t shards = 1;
  /// Of this shard. Beyond them the entries used least go, see `store`.
  std::uint64_t max_entries = 10000;
  std::uint64_t max_bytes = 64 << 20;
  /// Limits of one entry.
  std::uint64_t max_key_bytes = 64 << 10;
  std::uint64_t max_value_bytes = 8 << 20;
  /// Between two sweeps for expired entries.
  std::chrono::milliseconds sweep_interval{1000};
  /// Between two looks for entries to hand over again.
  std::chrono::milliseconds retry_interval{500};

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// `names` finds the other nodes' shards when slots move. Writes are refused
/// while `roles` is not held: others may own the slots by now.
cache_shard_actor spawn_cache_shard(caf::actor_system& system,
                                    cache_shard_config config,
                                    cluster_view view, directory_ptr names,
                                    lease_ptr roles);

} // namespace troupe

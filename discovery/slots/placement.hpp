#pragma once

#include <chrono>

#include <caf/typed_actor.hpp>

#include "messages/cluster_state.hpp"
#include "messages/directory.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Keeps the slot table in step with the members: while this node leads, it
/// proposes `assign_slots` whenever the live members and the table's nodes
/// differ. Idle on the other nodes.
using placement_actor =
  caf::typed_actor<caf::reacts_to<state_changed>,
                   /// Looks again, while something has to wait.
                   caf::reacts_to<tick>>::extend_with<status_protocol>;

struct placement_config {
  member_id self = member_id::none;
  /// How long a new node waits for its share, so that nodes which join
  /// together are served by one plan.
  std::chrono::milliseconds join_delay{500};
  /// How long a node may act as an owner after its last contact with a leader.
  std::chrono::milliseconds lease{1500};
  /// Between two looks while something has to wait.
  std::chrono::milliseconds interval{50};
  /// After a proposal that got no answer or none that helps.
  std::chrono::milliseconds retry_delay{500};

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// Proposes through the local `catalog` in `names`, one proposal at a time.
placement_actor spawn_placement(caf::actor_system& system,
                                placement_config config, cluster_view view,
                                directory_ptr names);

} // namespace troupe

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "discovery/membership/verdicts.hpp"

// Who takes part in consensus, and who is remembered: pure functions.

namespace troupe {

/// How long members have been down or left, as this leader saw it by its own
/// steady clock. Wall clocks jump, and a member must not lose its seat for it.
using absences = std::map<member_id, std::chrono::milliseconds>;

/// The members that have been gone for too long. One that an operator removed
/// is remembered for good, because it must not come back.
std::vector<forget_node> forgettable_members(const cluster_state& state,
                                             const absences& gone,
                                             const verdict_timers& timers);

/// Whether a member that left is to be taken out of consensus. A voter keeps
/// its seat where fewer than three voters would remain: a cluster that is
/// stopped node by node must not end with a single node that alone has a say.
/// One that an operator dismissed never keeps it.
bool loses_seat(const cluster_state& state, const member& who);

/// The next change of the Raft configuration, one at a time: who lost the seat
/// or is gone for longer than `forget_after` is taken out; who is new joins as
/// stand-by; stand-bys fill up the voters; and a dead voter makes room for a
/// live stand-by, or steps back once three live voters do without it.
std::optional<set_raft_role> plan_role_change(const cluster_state& state,
                                              std::uint32_t max_voters,
                                              const absences& gone,
                                              const verdict_timers& timers);

} // namespace troupe

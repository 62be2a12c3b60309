#pragma once

#include <optional>
#include <vector>

#include "messages/cluster_state.hpp"

namespace troupe {

/// The next slot table when the owners should be `live`, or nothing when
/// `current` is right as it is. Each live node gets its even share (sizes
/// differ by one at most) with as few moves as possible. Nothing for no nodes.
/// Deterministic: `live` is sorted first.
std::optional<slot_table> plan_slots(const slot_table& current,
                                     std::vector<member_id> live);

} // namespace troupe

#include "discovery/slots/rebalance.hpp"

#include <algorithm>

#include "discovery/slots/slot_planner.hpp"

namespace troupe {

namespace {

struct owners {
  /// Nodes to own slots from now on.
  std::vector<member_id> wanted;
  /// Some of them own none yet.
  bool joined = false;
  /// Nodes of the present table that are gone.
  bool lost = false;
};

owners compare(const cluster_state& state) {
  const auto& present = state.slots->nodes;
  owners result;
  std::size_t kept = 0;
  for (const auto& [id, who] : state.members) {
    bool owns = std::find(present.begin(), present.end(), id) != present.end();
    bool stays =
      who.state == verdict::alive || (owns && who.state == verdict::suspect);
    if (!stays)
      continue;
    result.wanted.push_back(id);
    if (owns)
      ++kept;
    else
      result.joined = true;
  }
  result.lost = kept < present.size();
  return result;
}

} // namespace

std::optional<slot_table> rebalance::step(const cluster_state& state,
                                          time_point now) {
  auto next = compare(state);
  if (!next.joined)
    joined_at_.reset();
  else if (!joined_at_)
    joined_at_ = now;
  bool share_due = joined_at_ && now - *joined_at_ >= join_delay_;
  if (!next.lost && !share_due)
    return std::nullopt;
  return plan_slots(*state.slots, std::move(next.wanted));
}

} // namespace troupe

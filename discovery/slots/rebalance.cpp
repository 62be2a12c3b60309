#include "discovery/slots/rebalance.hpp"

#include <algorithm>

#include "discovery/slots/slot_planner.hpp"

namespace troupe {

namespace {

bool owns_slots(const cluster_state& state, member_id who) {
  const auto& present = state.slots->nodes;
  return std::find(present.begin(), present.end(), who) != present.end();
}

} // namespace

struct rebalance::owners {
  /// Nodes to own slots from now on.
  std::vector<member_id> wanted;
  /// Some of them own none yet.
  bool joined = false;
  /// Nodes of the present table that are gone.
  bool lost = false;
};

void rebalance::note_removals(const cluster_state& state, time_point now) {
  auto is_removed = [&](member_id id) {
    auto i = state.members.find(id);
    return i != state.members.end() && i->second.dismissed
           && owns_slots(state, id);
  };
  std::erase_if(removed_at_, [&](auto& x) { return !is_removed(x.first); });
  for (auto id : state.slots->nodes)
    if (is_removed(id))
      removed_at_.try_emplace(id, now);
}

rebalance::owners rebalance::compare(const cluster_state& state,
                                     time_point now) {
  owners result;
  std::size_t kept = 0;
  for (const auto& [id, who] : state.members) {
    bool owns = owns_slots(state, id);
    auto removed = removed_at_.find(id);
    bool may_act =
      removed != removed_at_.end() && now - removed->second < lease_;
    bool stays = who.state == verdict::alive
                 || (owns && who.state == verdict::suspect) || may_act;
    if (!stays)
      continue;
    result.wanted.push_back(id);
    if (owns)
      ++kept;
    else
      result.joined = true;
  }
  result.lost = kept < state.slots->nodes.size();
  return result;
}

std::optional<slot_table> rebalance::step(const cluster_state& state,
                                          time_point now) {
  note_removals(state, now);
  auto next = compare(state, now);
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

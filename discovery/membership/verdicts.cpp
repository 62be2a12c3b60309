#include "discovery/membership/verdicts.hpp"

#include <algorithm>

namespace troupe {

namespace {

set_verdict give(const member& about, verdict state, std::string reason,
                 member_id by) {
  return {about.info.id, about.info.incarnation, state, std::move(reason), by};
}

bool is_connected(const link_view& link, const member& about) {
  return link.connected && link.incarnation == about.info.incarnation;
}

/// A member without a link: suspect first, down once that lasted.
std::optional<set_verdict> judge_unreachable(const member& about,
                                             const link_view* link,
                                             member_id self, steady_time now,
                                             steady_time leader_since,
                                             const verdict_timers& timers) {
  auto since =
    link != nullptr ? std::max(link->since, leader_since) : leader_since;
  auto reason =
    link != nullptr && !link->reason.empty() ? link->reason : "no connection";
  if (link != nullptr && link->refused)
    return give(about, verdict::down, reason + "; new connections are refused",
                self);
  if (now - since >= timers.suspect_timeout)
    return give(about, verdict::down,
                reason + "; no connection for "
                  + std::to_string(timers.suspect_timeout.count()) + " ms",
                self);
  // A leader that was just elected has not met everyone yet.
  if (about.state == verdict::alive && link != nullptr)
    return give(about, verdict::suspect, reason, self);
  return std::nullopt;
}

bool is_long_gone(const member& about, unix_ms now,
                  const verdict_timers& timers) {
  auto gone = about.state == verdict::down || about.state == verdict::left;
  return gone && now - about.since >= timers.forget_after.count();
}

std::size_t count_role(const cluster_state& state, raft_role role) {
  return static_cast<std::size_t>(
    std::count_if(state.members.begin(), state.members.end(),
                  [&](auto& x) { return x.second.role == role; }));
}

template <class Predicate>
const member* first_member(const cluster_state& state, Predicate matches) {
  auto i = std::find_if(state.members.begin(), state.members.end(),
                        [&](auto& x) { return matches(x.second); });
  return i == state.members.end() ? nullptr : &i->second;
}

} // namespace

std::vector<set_verdict>
judge_members(const cluster_state& state, member_id self,
              const std::map<member_id, link_view>& links, steady_time now,
              steady_time leader_since, const verdict_timers& timers) {
  std::vector<set_verdict> result;
  for (auto& [id, about] : state.members) {
    if (id == self || about.state == verdict::down
        || about.state == verdict::left)
      continue;
    auto i = links.find(id);
    auto* link = i == links.end() ? nullptr : &i->second;
    if (link != nullptr && is_connected(*link, about)) {
      if (about.state == verdict::suspect)
        result.push_back(
          give(about, verdict::alive, "connection restored", self));
      continue;
    }
    if (auto given =
          judge_unreachable(about, link, self, now, leader_since, timers))
      result.push_back(std::move(*given));
  }
  return result;
}

std::vector<forget_node> forgettable_members(const cluster_state& state,
                                             unix_ms now,
                                             const verdict_timers& timers) {
  std::vector<forget_node> result;
  for (auto& [id, about] : state.members) {
    if (about.role == raft_role::none && is_long_gone(about, now, timers))
      result.push_back({id});
  }
  return result;
}

std::optional<set_raft_role> plan_role_change(const cluster_state& state,
                                              std::uint32_t max_voters,
                                              unix_ms now,
                                              const verdict_timers& timers) {
  auto* gone = first_member(state, [&](auto& x) {
    return x.role != raft_role::none
           && (x.state == verdict::left || is_long_gone(x, now, timers));
  });
  if (gone != nullptr)
    return set_raft_role{gone->info.id, raft_role::none};
  auto* newcomer = first_member(state, [](auto& x) {
    return x.state == verdict::alive && x.role == raft_role::none;
  });
  if (newcomer != nullptr)
    return set_raft_role{newcomer->info.id, raft_role::standby};
  auto* standby = first_member(state, [](auto& x) {
    return x.state == verdict::alive && x.role == raft_role::standby;
  });
  if (standby == nullptr)
    return std::nullopt;
  if (count_role(state, raft_role::voter) < max_voters)
    return set_raft_role{standby->info.id, raft_role::voter};
  auto* dead_voter = first_member(state, [](auto& x) {
    return x.state == verdict::down && x.role == raft_role::voter;
  });
  if (dead_voter != nullptr)
    return set_raft_role{dead_voter->info.id, raft_role::standby};
  return std::nullopt;
}

} // namespace troupe

#include "discovery/membership/seats.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// A dead voter keeps its seat for so long though others do without it: most
/// come back from a restart.
constexpr std::chrono::milliseconds seat_kept{30'000};

/// Voters that a cluster should not fall below by itself.
constexpr std::size_t few_voters = 3;

std::chrono::milliseconds absence(const member& who, const absences& gone) {
  auto i = gone.find(who.info.id);
  return i == gone.end() ? std::chrono::milliseconds{0} : i->second;
}

bool is_long_gone(const member& who, const absences& gone,
                  const verdict_timers& timers) {
  auto away = who.state == verdict::down || who.state == verdict::left;
  return away && absence(who, gone) >= timers.forget_after;
}

/// Whether the name of one that was removed is another's by now: it could not
/// come back under it.
bool is_replaced(const cluster_state& state, const member& who) {
  return std::any_of(state.members.begin(), state.members.end(), [&](auto& x) {
    return x.second.info.name == who.info.name && !x.second.dismissed;
  });
}

template <class Predicate>
std::size_t count(const cluster_state& state, Predicate matches) {
  return static_cast<std::size_t>(
    std::count_if(state.members.begin(), state.members.end(),
                  [&](auto& x) { return matches(x.second); }));
}

std::size_t count_voters(const cluster_state& state) {
  return count(state, [](auto& x) { return x.role == raft_role::voter; });
}

template <class Predicate>
const member* first_member(const cluster_state& state, Predicate matches) {
  auto i = std::find_if(state.members.begin(), state.members.end(),
                        [&](auto& x) { return matches(x.second); });
  return i == state.members.end() ? nullptr : &i->second;
}

} // namespace

std::vector<forget_node> forgettable_members(const cluster_state& state,
                                             const absences& gone,
                                             const verdict_timers& timers) {
  std::vector<forget_node> result;
  for (auto& [id, who] : state.members)
    if (who.role == raft_role::none && is_long_gone(who, gone, timers)
        && (!who.dismissed || is_replaced(state, who)))
      result.push_back({id});
  return result;
}

bool loses_seat(const cluster_state& state, const member& who) {
  if (who.state != verdict::left || who.role == raft_role::none)
    return false;
  return who.dismissed || who.role == raft_role::standby
         || count_voters(state) > few_voters;
}

std::optional<set_raft_role> plan_role_change(const cluster_state& state,
                                              std::uint32_t max_voters,
                                              const absences& gone,
                                              const verdict_timers& timers) {
  auto* leaver = first_member(state, [&](auto& x) {
    return x.role != raft_role::none
           && (loses_seat(state, x) || is_long_gone(x, gone, timers));
  });
  if (leaver != nullptr)
    return set_raft_role{leaver->info.id, raft_role::none};
  auto* newcomer = first_member(state, [](auto& x) {
    return x.state == verdict::alive && x.role == raft_role::none;
  });
  if (newcomer != nullptr)
    return set_raft_role{newcomer->info.id, raft_role::standby};
  auto* standby = first_member(state, [](auto& x) {
    return x.state == verdict::alive && x.role == raft_role::standby;
  });
  if (standby != nullptr && count_voters(state) < max_voters)
    return set_raft_role{standby->info.id, raft_role::voter};
  auto live = count(state, [](auto& x) {
    return x.role == raft_role::voter && x.state == verdict::alive;
  });
  auto* dead_voter = first_member(state, [&](auto& x) {
    return x.state == verdict::down && x.role == raft_role::voter
           && (standby != nullptr
               || (live >= few_voters && absence(x, gone) >= seat_kept));
  });
  if (dead_voter != nullptr)
    return set_raft_role{dead_voter->info.id, raft_role::standby};
  return std::nullopt;
}

} // namespace troupe

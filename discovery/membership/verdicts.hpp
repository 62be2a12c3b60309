#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/cluster.hpp"
#include "messages/cluster_state.hpp"

// What a leader decides about members: pure functions from what the cluster
// agreed on and what the leader sees to what it should propose.

namespace troupe {

using steady_time = std::chrono::steady_clock::time_point;

/// The leader's own view of its link to a member.
struct link_view {
  bool connected = false;
  /// Incarnation of the process at the other end, when it was last connected.
  std::uint64_t incarnation = 0;
  /// Since when it is (dis)connected.
  steady_time since;
  /// Why the link ended.
  std::string reason;
  /// A live host refused a new connection: the process is gone.
  bool refused = false;
};

struct verdict_timers {
  /// How long a suspect without a link may stay one.
  std::chrono::milliseconds suspect_timeout{1000};
  /// How long a member that is down or left is remembered.
  std::chrono::milliseconds forget_after{std::chrono::hours{72}};
};

/// The verdicts that differ from the ones in `state`. `leader_since` bounds
/// how long a member without any link is waited for.
std::vector<set_verdict>
judge_members(const cluster_state& state, member_id self,
              const std::map<member_id, link_view>& links, steady_time now,
              steady_time leader_since, const verdict_timers& timers);

/// The members that have been gone for too long.
std::vector<forget_node> forgettable_members(const cluster_state& state,
                                             unix_ms now,
                                             const verdict_timers& timers);

/// The next change of the Raft configuration, one at a time: who left, or has
/// been down for longer than `forget_after`, is taken out; who is new joins as
/// stand-by; stand-bys fill up the voters; and a dead voter makes room when a
/// live stand-by can replace it.
std::optional<set_raft_role> plan_role_change(const cluster_state& state,
                                              std::uint32_t max_voters,
                                              unix_ms now,
                                              const verdict_timers& timers);

} // namespace troupe

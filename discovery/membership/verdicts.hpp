#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/cluster.hpp"
#include "messages/cluster_state.hpp"

// What a leader holds of the members: pure functions from what the cluster
// agreed on, what the leader sees and what other members told it.

namespace troupe {

using steady_time = std::chrono::steady_clock::time_point;

/// The leader's own view of its link to a member.
struct link_view {
  bool connected = false;
  /// Incarnation of the process at the other end, when it was last connected.
  std::uint64_t incarnation = 0;
  /// When it was last made.
  steady_time made;
  /// Why the link ended.
  std::string reason;
  /// A live host refused a new connection: the process is gone.
  bool refused = false;
};

/// What another member said of one.
struct witness {
  reach found = reach::silent;
  steady_time at;
};

/// Everything a leader knows of a member beyond the cluster's state.
struct evidence {
  link_view link;
  /// When the member last asked for its lease.
  std::optional<steady_time> heard;
  /// By the member that said it, about this incarnation.
  std::map<member_id, witness> witnesses;
};

struct verdict_timers {
  /// How long a member may be silent before it is suspected.
  std::chrono::milliseconds suspect_after{1000};
  /// How long a member may be silent before it is down, at least. Its lease
  /// lasts as long, so it has stopped acting by then.
  std::chrono::milliseconds down_after{1500};
  /// The same where others still reach it, as a multiple of `down_after`.
  std::uint32_t doubt_factor = 3;
  /// How long a member that is down or left is remembered.
  std::chrono::milliseconds forget_after{std::chrono::hours{72}};
};

/// The leader as an observer.
struct observer {
  member_id self = member_id::none;
  steady_time now;
  /// Bounds how long a member without any link is waited for.
  steady_time leader_since;
  /// `local_health::patience`.
  std::uint32_t patience = 1;
};

struct judgement {
  /// Those that differ from the present ones.
  std::vector<set_verdict> verdicts;
  /// Members whom others should try to reach (SWIM's indirect probes).
  std::vector<member_id> doubtful;
};

/// Judges all members. A closed link or silence makes a suspect. It is down at
/// once when its host refuses connections, as a second member confirms; or
/// after a silence that is the shorter the more members do not reach it either
/// (Lifeguard §IV-B), and longer where one still does.
judgement judge_members(const cluster_state& state,
                        const std::map<member_id, evidence>& known,
                        const observer& by, const verdict_timers& timers);

} // namespace troupe

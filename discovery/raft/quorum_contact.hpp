#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "discovery/raft/raft_configuration.hpp"

namespace troupe {

/// When a leader was last in contact with a quorum, by its own clock: each
/// message to a follower says when it was sent, and the answer repeats that. A
/// follower that had heard from the leader at that time elects nobody else for
/// an election timeout, so the leader may count on being the only one for
/// almost as long (Raft dissertation §6.4.1, leases).
class quorum_contact {
public:
  using time = std::chrono::milliseconds;

  /// Forgets everything: a new term.
  void reset() { heard_.clear(); }

  /// `who` has got a message that was sent at `sent_at`.
  void answered(member_id who, time sent_at) {
    auto& latest = heard_[who];
    latest = std::max(latest, sent_at);
  }

  /// The latest time at which more than half of the voters, `self` included,
  /// had heard from `self`. Nothing when there was none.
  std::optional<time> latest(const raft_configuration_servers& servers,
                             member_id self, time now) const {
    std::vector<time> times;
    for (auto& server : servers) {
      if (server.role != raft_role::voter)
        continue;
      auto i = heard_.find(server.id);
      times.push_back(server.id == self   ? now
                      : i == heard_.end() ? time{0}
                                          : i->second);
    }
    if (times.empty())
      return std::nullopt;
    std::sort(times.begin(), times.end(), std::greater<>{});
    auto result = times[times.size() / 2];
    return result == time{0} ? std::nullopt : std::optional{result};
  }

private:
  std::map<member_id, time> heard_;
};

} // namespace troupe

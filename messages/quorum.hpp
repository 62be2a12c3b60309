#pragma once

#include <cstddef>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Whether those who have a vote are enough to agree on something.
struct quorum {
  std::size_t voters = 0;
  /// Of them, who can be asked for their vote.
  std::size_t alive = 0;

  std::size_t needed() const noexcept { return voters / 2 + 1; }

  /// Without voters nobody agrees on anything.
  bool reached() const noexcept { return alive >= needed(); }
};

/// Counts the members for which `votes(member)` holds, and of them those for
/// which `lives(member)` does.
template <class Votes, class Lives>
quorum count_quorum(const cluster_state& state, Votes votes, Lives lives) {
  quorum result;
  for (auto& [id, who] : state.members)
    if (votes(who)) {
      ++result.voters;
      result.alive += lives(who) ? 1 : 0;
    }
  return result;
}

/// Has a vote and was not removed; one that was keeps it for a moment.
inline bool is_lasting_voter(const member& who) {
  return who.role == raft_role::voter && !who.dismissed;
}

} // namespace troupe

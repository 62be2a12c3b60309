#pragma once

#include <cstdint>
#include <map>

#include <caf/meta/type_name.hpp>

#include "messages/command.hpp"

namespace troupe {

/// Makes a command that was proposed several times apply once: remembers the
/// results of each node's commands until the node has them
/// (Raft dissertation §6.3). Part of the replicated state.
class sessions {
public:
  enum class freshness : std::uint8_t {
    /// Not seen yet: apply it, then `remember` the result.
    fresh,
    /// Applied before; `result_of` tells the result.
    applied,
    /// Its node has the answer already, or is a newer process by now: nobody
    /// waits for it.
    stale,
  };

  /// Notes what the node behind `id` says it has, and judges the command.
  freshness judge(const request_id& id) {
    auto& session = by_node_[id.origin];
    if (id.incarnation < session.incarnation)
      return freshness::stale;
    if (id.incarnation > session.incarnation)
      session = {id.incarnation, 0, {}};
    if (id.answered_below > session.answered_below) {
      session.answered_below = id.answered_below;
      session.results.erase(session.results.begin(),
                            session.results.lower_bound(id.answered_below));
    }
    if (session.results.contains(id.sequence))
      return freshness::applied;
    return id.sequence < session.answered_below ? freshness::stale
                                                : freshness::fresh;
  }

  const apply_result& result_of(const request_id& id) const {
    return by_node_.at(id.origin).results.at(id.sequence);
  }

  void remember(const request_id& id, const apply_result& result) {
    by_node_[id.origin].results[id.sequence] = result;
  }

  /// The node was forgotten.
  void erase(member_id origin) { by_node_.erase(origin); }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, sessions& x) {
    return f(caf::meta::type_name("sessions"), x.by_node_);
  }

private:
  struct session {
    std::uint64_t incarnation = 0;
    std::uint64_t answered_below = 0;
    std::map<std::uint64_t, apply_result> results;

    template <class Inspector>
    friend typename Inspector::result_type inspect(Inspector& f, session& x) {
      return f(caf::meta::type_name("session"), x.incarnation, x.answered_below,
               x.results);
    }
  };

  std::map<member_id, session> by_node_;
};

} // namespace troupe

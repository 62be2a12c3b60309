#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include <caf/meta/type_name.hpp>

#include "messages/command.hpp"

namespace troupe {

/// Makes a command that was proposed several times apply once: remembers the
/// results of each process's commands until the process has them
/// (Raft dissertation §6.3). Part of the replicated state.
class sessions {
public:
  enum class freshness : std::uint8_t {
    /// Not seen yet: apply it, then `remember` the result.
    fresh,
    /// Applied before; `result_of` tells the result.
    applied,
    /// Its process has the answer already: nobody waits for it.
    stale,
    /// Its node runs as a process of a later incarnation by now.
    outdated,
  };

  /// Processes of one incarnation of a node that are told apart: there are
  /// several where its data directory was copied or restored. The one that was
  /// silent for longest makes room.
  static constexpr std::size_t max_processes = 16;

  /// Notes what the process behind `id` says it has, and judges the command in
  /// the log's entry `index`.
  freshness judge(const request_id& id, std::uint64_t index) {
    auto& node = by_node_[id.origin];
    if (id.incarnation < node.incarnation)
      return freshness::outdated;
    if (id.incarnation > node.incarnation)
      node = {id.incarnation, {}};
    make_room(node, id.process);
    auto& session = node.by_process[id.process];
    session.last_index = index;
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
    return by_node_.at(id.origin)
      .by_process.at(id.process)
      .results.at(id.sequence);
  }

  void remember(const request_id& id, const apply_result& result) {
    by_node_[id.origin].by_process[id.process].results[id.sequence] = result;
  }

  /// The node was forgotten.
  void erase(member_id origin) { by_node_.erase(origin); }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, sessions& x) {
    return f(caf::meta::type_name("sessions"), x.by_node_);
  }

private:
  struct session {
    std::uint64_t last_index = 0;
    std::uint64_t answered_below = 0;
    std::map<std::uint64_t, apply_result> results;

    template <class Inspector>
    friend typename Inspector::result_type inspect(Inspector& f, session& x) {
      return f(caf::meta::type_name("session"), x.last_index, x.answered_below,
               x.results);
    }
  };

  struct node_sessions {
    std::uint64_t incarnation = 0;
    std::map<std::uint64_t, session> by_process;

    template <class Inspector>
    friend typename Inspector::result_type inspect(Inspector& f,
                                                   node_sessions& x) {
      return f(caf::meta::type_name("node_sessions"), x.incarnation,
               x.by_process);
    }
  };

  static void make_room(node_sessions& node, std::uint64_t process) {
    auto& all = node.by_process;
    if (all.size() < max_processes || all.contains(process))
      return;
    all.erase(std::min_element(all.begin(), all.end(), [](auto& a, auto& b) {
      return a.second.last_index < b.second.last_index;
    }));
  }

  std::map<member_id, node_sessions> by_node_;
};

} // namespace troupe

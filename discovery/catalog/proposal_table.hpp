#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <caf/expected.hpp>

#include "discovery/raft/raft_engine.hpp"
#include "messages/command.hpp"

namespace troupe {

/// This node's commands from their proposal to their answer. A command is tried
/// again under its id, at whoever leads, until it was applied here or its
/// deadline passed. Time and randomness are the caller's.
class proposal_table {
public:
  /// Gets the result, or why there is none.
  using callback = std::function<void(caf::expected<apply_result>)>;

  explicit proposal_table(std::uint32_t seed) : random_(seed) {}

  bool empty() const { return proposals_.empty(); }
  std::size_t size() const { return proposals_.size(); }

  /// What the next command's id says: everything below was answered.
  std::uint64_t answered_below(std::uint64_t next_sequence) const {
    return empty() ? next_sequence : proposals_.begin()->first;
  }

  /// A new command, due at once. Sequences and deadlines only grow.
  void add(std::uint64_t sequence, std::string bytes, raft_time now,
           raft_time deadline, callback done);

  /// Those to be tried now; marks them as sent to `leader`.
  struct attempt {
    std::uint64_t sequence = 0;
    /// Counts the tries, so that a late failure of an earlier one is told
    /// apart.
    std::uint32_t number = 0;
    const std::string* bytes = nullptr;
  };
  std::vector<attempt> take_due(raft_time now, member_id leader);

  /// A try failed: the next one waits, longer each time, with jitter.
  void failed(std::uint64_t sequence, std::uint32_t number, raft_time now);

  /// Everything that was sent to anyone but `leader` is due again.
  void leader_is(member_id leader, raft_time now);

  /// Nothing more will come from `peer`.
  void peer_lost(member_id peer, raft_time now);

  /// The command's result is known: it was applied on this node, or the leader
  /// answered. Counts once `reached` says that this node has applied that much.
  void answered(std::uint64_t sequence, apply_result result);

  /// This node has applied and published that much: answers what waits for it.
  void reached(std::uint64_t applied_index);

  /// Answers those whose deadline passed with `reason`.
  void expire(raft_time now, const caf::error& reason);

  /// When `take_due` (if `has_leader`) or `expire` have something to do next.
  std::optional<raft_time> next_due(bool has_leader) const;

private:
  struct proposal {
    std::string bytes;
    raft_time deadline;
    raft_time due;
    std::uint32_t attempts = 0;
    /// In a row, at this leader.
    std::uint32_t failures = 0;
    /// To whom it was sent; none while it waits.
    member_id sent_to = member_id::none;
    std::optional<apply_result> result;
    callback done;
  };

  void retry_later(std::uint64_t sequence, proposal& x, raft_time now);
  void finish(std::uint64_t sequence, caf::expected<apply_result> result);

  std::map<std::uint64_t, proposal> proposals_;
  /// Those that were sent to nobody.
  std::set<std::uint64_t> waiting_;
  std::minstd_rand random_;
};

} // namespace troupe

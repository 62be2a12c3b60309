#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Decides when the slot table has to follow the members. A dead owner's slots
/// move at once, since nobody answers for them; new nodes get their share after
/// a delay, so that several that join together cost one move of the entries. An
/// owner that an operator removed may be alive and cut off, so it keeps its
/// slots until its lease has ended.
class rebalance {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  rebalance(milliseconds join_delay, milliseconds lease)
    : join_delay_(join_delay), lease_(lease) {}

  /// The table to propose now, or nothing. A suspect keeps what it has and
  /// gets nothing new.
  std::optional<slot_table> step(const cluster_state& state, time_point now);

  /// Whether something is due after a time: `step` must be called again though
  /// the state stays as it is.
  bool waiting() const noexcept {
    return joined_at_.has_value() || !removed_at_.empty();
  }

private:
  struct owners;

  owners compare(const cluster_state& state, time_point now);
  void note_removals(const cluster_state& state, time_point now);

  milliseconds join_delay_;
  milliseconds lease_;
  /// When the first of the nodes without a share was seen.
  std::optional<time_point> joined_at_;
  /// When it was seen that an owner was removed.
  std::map<member_id, time_point> removed_at_;
};

} // namespace troupe

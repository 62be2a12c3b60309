#pragma once

#include <chrono>
#include <optional>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Decides when the slot table has to follow the members. A dead owner's slots
/// move at once, since nobody answers for them; new nodes get their share after
/// a delay, so that several that join together cost one move of the entries.
class rebalance {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit rebalance(std::chrono::milliseconds join_delay)
    : join_delay_(join_delay) {}

  /// The table to propose now, or nothing. A suspect keeps what it has and
  /// gets nothing new.
  std::optional<slot_table> step(const cluster_state& state, time_point now);

  /// Whether a node waits for its share: `step` must be called again though
  /// the state stays as it is.
  bool waiting() const noexcept { return joined_at_.has_value(); }

private:
  std::chrono::milliseconds join_delay_;
  /// When the first of the nodes without a share was seen.
  std::optional<time_point> joined_at_;
};

} // namespace troupe

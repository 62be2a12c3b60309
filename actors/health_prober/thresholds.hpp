#pragma once

#include <cstdint>

#include "messages/cluster_state.hpp"

namespace troupe {

/// How many consecutive results change a verdict.
struct thresholds {
  std::uint32_t unhealthy = 3;
  std::uint32_t healthy = 2;
};

/// The streak of a server's latest check results.
class check_streak {
public:
  void record(bool passed) noexcept;

  /// What the server's verdict should be, given that it is `current` in the
  /// catalog. A server of which nothing is known is healthy with its first
  /// pass. Asked again after each check, so a proposal that got lost is made
  /// again.
  health verdict(health current, const thresholds& limits) const noexcept;

  std::uint32_t passes() const noexcept { return passes_; }
  std::uint32_t failures() const noexcept { return failures_; }

private:
  // One of them is 0.
  std::uint32_t passes_ = 0;
  std::uint32_t failures_ = 0;
};

} // namespace troupe

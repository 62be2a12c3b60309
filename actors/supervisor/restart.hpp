#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace troupe {

/// How often and how fast a child may be restarted: the reference's
/// `cluster.maxRestarts`, `restartDelay` and `autoRestart`, with Erlang/OTP's
/// restart intensity (at most `max_restarts` within `window`).
struct restart_policy {
  bool automatic = true;
  std::uint32_t max_restarts = 3;
  std::chrono::milliseconds window{60'000};
  /// Delay of the second restart within the window; the first is immediate,
  /// each later one waits twice as long.
  std::chrono::milliseconds delay{1000};
  std::chrono::milliseconds max_delay{30'000};
};

/// A child's recent restarts.
class restart_history {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Records that the child ended at `now`. Returns how long to wait before
  /// its restart, or nothing when the policy allows none any more.
  /// @param jitter in [0, 1): spreads the delay over ±20%.
  std::optional<std::chrono::milliseconds>
  next_delay(time_point now, const restart_policy& policy, double jitter);

private:
  std::deque<time_point> recent_;
};

} // namespace troupe

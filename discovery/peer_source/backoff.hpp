#pragma once

#include <chrono>
#include <cstdint>

namespace troupe {

/// Between which bounds the waits after failures lie.
struct backoff_policy {
  std::chrono::milliseconds first{500};
  std::chrono::milliseconds greatest{10'000};
};

/// How long to wait after failures in a row: each wait is up to twice the one
/// before, and a random part of it is left out, so that nodes which lost the
/// same server don't all come back to it at once.
struct backoff {
  /// In a row.
  std::uint32_t failures = 0;

  /// Counts a failure and says how long to wait.
  /// @param jitter in [0, 1): from half of the wait to all of it.
  std::chrono::milliseconds next(const backoff_policy& policy, double jitter);

  /// After a success.
  void reset() { failures = 0; }
};

} // namespace troupe

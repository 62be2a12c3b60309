#include "actors/health_prober/thresholds.hpp"

namespace troupe {

void check_streak::record(bool passed) noexcept {
  passes_ = passed ? passes_ + 1 : 0;
  failures_ = passed ? 0 : failures_ + 1;
}

health check_streak::verdict(health current,
                             const thresholds& limits) const noexcept {
  auto needed_passes = current == health::unknown ? 1 : limits.healthy;
  if (failures_ >= limits.unhealthy)
    return health::unhealthy;
  if (passes_ >= needed_passes)
    return health::healthy;
  return current;
}

} // namespace troupe

#include "actors/supervisor/restart.hpp"

#include <algorithm>

namespace troupe {

std::optional<std::chrono::milliseconds>
restart_history::next_delay(time_point now, const restart_policy& policy,
                            double jitter) {
  while (!recent_.empty() && recent_.front() + policy.window <= now)
    recent_.pop_front();
  if (!policy.automatic || recent_.size() >= policy.max_restarts)
    return std::nullopt;
  auto earlier = recent_.size();
  recent_.push_back(now);
  if (earlier == 0)
    return std::chrono::milliseconds{0};
  using std::chrono::milliseconds;
  auto doublings = std::min<std::size_t>(earlier - 1, 20);
  auto delay =
    std::min<milliseconds>(policy.delay * (1 << doublings), policy.max_delay);
  auto spread = static_cast<double>(delay.count()) * (0.8 + 0.4 * jitter);
  return milliseconds{static_cast<milliseconds::rep>(spread)};
}

} // namespace troupe

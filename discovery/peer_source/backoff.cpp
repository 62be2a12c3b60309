#include "discovery/peer_source/backoff.hpp"

#include <algorithm>

namespace troupe {

std::chrono::milliseconds backoff::next(const backoff_policy& policy,
                                        double jitter) {
  constexpr std::uint32_t most_doublings = 20;
  auto doubled = policy.first * (1 << std::min(failures, most_doublings));
  auto wait = std::min(doubled, policy.greatest);
  ++failures;
  auto part = 0.5 + jitter / 2;
  return std::chrono::milliseconds{
    static_cast<std::int64_t>(static_cast<double>(wait.count()) * part)};
}

} // namespace troupe

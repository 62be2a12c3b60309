#include "actors/balancer/pick.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace troupe {

namespace {

void divide_by_gcd(std::vector<std::uint64_t>& weights) {
  std::uint64_t divisor = 0;
  for (auto weight : weights)
    divisor = std::gcd(divisor, weight);
  if (divisor > 1)
    for (auto& weight : weights)
      weight /= divisor;
}

std::uint64_t sum(const std::vector<std::uint64_t>& weights) {
  return std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
}

} // namespace

std::vector<std::uint16_t>
smooth_schedule(std::span<const std::uint32_t> weights,
                std::size_t max_length) {
  // An index must fit 16 bits; a pool of more servers leaves the rest out.
  auto usable = std::min<std::size_t>(
    weights.size(), std::numeric_limits<std::uint16_t>::max());
  std::vector<std::uint64_t> shares(weights.begin(), weights.begin() + usable);
  divide_by_gcd(shares);
  if (auto total = sum(shares); total > max_length) {
    for (auto& share : shares)
      if (share > 0)
        share = std::max<std::uint64_t>(1, share * max_length / total);
    divide_by_gcd(shares);
  }
  auto total = static_cast<std::int64_t>(sum(shares));
  std::vector<std::uint16_t> schedule;
  schedule.reserve(total);
  // Each turn, everyone gains its share and the richest pays for the turn.
  std::vector<std::int64_t> credit(shares.size(), 0);
  for (std::int64_t turn = 0; turn < total; ++turn) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      credit[i] += static_cast<std::int64_t>(shares[i]);
      if (credit[i] > credit[best])
        best = i;
    }
    credit[best] -= total;
    schedule.push_back(static_cast<std::uint16_t>(best));
  }
  return schedule;
}

} // namespace troupe

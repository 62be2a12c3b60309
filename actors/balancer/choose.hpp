#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "actors/balancer/routing.hpp"

namespace troupe {

/// Whether a server may get one certain request.
enum class standing : std::uint8_t {
  usable,
  /// Only when nobody is usable: it failed lately.
  last_resort,
  /// Not at all: it was tried for this request already.
  excluded,
};

/// The server whose turn it is. When that one is not usable, its turn goes to
/// the others by their weights, each in another round. `turn` is taken from the
/// pool's cursor once for a request, so that what other threads take meanwhile
/// hides no server from it. `standing_of(const upstream&)` judges. Null when
/// every server is excluded or the schedule is empty.
template <class Judge>
const upstream* choose(const upstream_pool& pool, std::uint32_t turn,
                       Judge standing_of) {
  auto& schedule = pool.schedule;
  if (schedule.empty())
    return nullptr;
  auto position = turn % schedule.size();
  auto round = turn / schedule.size();
  auto& due = pool.servers[schedule[position]];
  if (standing_of(due) == standing::usable)
    return &due;
  std::vector<standing> standings;
  standings.reserve(pool.servers.size());
  for (auto& server : pool.servers)
    standings.push_back(standing_of(server));
  for (auto wanted : {standing::usable, standing::last_resort}) {
    auto fits = [&](std::uint16_t i) { return standings[i] == wanted; };
    auto count = static_cast<std::size_t>(
      std::count_if(schedule.begin(), schedule.end(), fits));
    if (count == 0)
      continue;
    auto left = (round + position) % count;
    for (auto i : schedule)
      if (fits(i) && left-- == 0)
        return &pool.servers[i];
  }
  return nullptr;
}

} // namespace troupe

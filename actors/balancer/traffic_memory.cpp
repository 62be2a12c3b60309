#include "actors/balancer/traffic_memory.hpp"

#include <algorithm>
#include <iterator>

namespace troupe {

namespace {

/// Grows with all that is counted.
std::uint64_t age_of(const node_traffic& totals) {
  std::uint64_t result = 0;
  for (auto& [id, counters] : totals.by_server)
    result += counters.requests + counters.failures + counters.connections
              + counters.latency_us;
  for (auto& [kind, counted] : totals.own)
    result += counted.count;
  return result;
}

} // namespace

void traffic_memory::hear(const process_id& who, node_traffic totals) {
  totals.clients = 0;
  for (auto& [id, counters] : totals.by_server)
    counters.active = 0;
  auto& known = processes_[who];
  if (age_of(totals) >= age_of(known))
    known = std::move(totals);
  if (processes_.size() <= max_processes)
    return;
  auto has_successor = std::adjacent_find(
    processes_.begin(), processes_.end(),
    [](auto& one, auto& next) { return one.first.node == next.first.node; });
  processes_.erase(has_successor == processes_.end() ? processes_.begin()
                                                     : has_successor);
}

} // namespace troupe

#pragma once

#include <map>
#include <set>
#include <string>

#include "actors/balancer/balancer.hpp"
#include "actors/cache_shard/cache_shard.hpp"
#include "actors/resource_monitor/resource_monitor.hpp"
#include "http/gateway/gateway_state.hpp"

// What several routes gather from actors before they answer.

namespace troupe {

/// Figures of the asked nodes, and who did not tell theirs.
struct figures {
  /// Of nodes and processes that are gone too, as last heard of, unless only
  /// this node's are wanted.
  node_traffic traffic;
  cache_stats cache;
  resource_usage system;
  std::set<member_id> unreachable;
};

/// Which figures, and from where.
struct figures_wanted {
  bool traffic = false;
  bool cache = false;
  /// Always this node's.
  bool system = false;
  /// Of this node only, not of all.
  bool local_only = false;
};

/// Asks for all at once and calls `done` when they are there, or their time is
/// over.
void gather_figures(gateway& g, figures_wanted wanted,
                    std::function<void(const figures&)> done);

} // namespace troupe

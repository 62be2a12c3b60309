#pragma once

#include <cstddef>
#include <map>

#include "messages/traffic.hpp"

namespace troupe {

/// The last known totals of every process of the cluster, so that sums over
/// nodes never go down when one of them ends. Holds what only grows: requests
/// in flight and connections end with their process. Pure.
class traffic_memory {
public:
  /// Beyond it, the earliest processes of nodes that have a later one go.
  static constexpr std::size_t max_processes = 256;

  /// Takes `totals` unless newer ones of that process are known: they may come
  /// from a third party.
  void hear(const process_id& who, node_traffic totals);

  const std::map<process_id, node_traffic>& all() const noexcept {
    return processes_;
  }

private:
  std::map<process_id, node_traffic> processes_;
};

/// What went through a cluster: `fresh` of the nodes that answered, whose
/// process now is `current(node)`, and what is remembered of all other
/// processes.
template <class Current>
node_traffic cluster_traffic(const std::map<member_id, node_traffic>& fresh,
                             const std::map<process_id, node_traffic>& known,
                             Current current) {
  node_traffic result;
  for (auto& [node, totals] : fresh)
    result += totals;
  for (auto& [who, totals] : known)
    if (!fresh.contains(who.node) || current(who.node) != who.incarnation)
      result += totals;
  return result;
}

} // namespace troupe

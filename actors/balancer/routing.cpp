#include "actors/balancer/routing.hpp"

#include <algorithm>
#include <set>

#include "actors/balancer/availability.hpp"
#include "actors/balancer/pick.hpp"

namespace troupe {

namespace {

upstream_pool build_pool(const std::string& service,
                         const std::vector<const server*>& members) {
  upstream_pool pool;
  pool.service = service;
  availability found;
  std::vector<std::uint32_t> weights;
  for (auto* candidate : members) {
    if (found.admit(*candidate)) {
      pool.servers.push_back({candidate->id, candidate->host, candidate->port});
      weights.push_back(candidate->weight);
    }
  }
  pool.schedule = smooth_schedule(weights);
  if (pool.schedule.empty())
    pool.unavailable_reason = found.explain(service);
  return pool;
}

std::shared_ptr<std::atomic<std::uint32_t>>
cursor_of(const std::string& service, const routing_table* previous) {
  if (previous != nullptr)
    if (auto i = previous->pools.find(service); i != previous->pools.end())
      return i->second.cursor;
  return std::make_shared<std::atomic<std::uint32_t>>(0);
}

bool more_specific(const route& lhs, const route& rhs) {
  if (lhs.host.empty() != rhs.host.empty())
    return rhs.host.empty();
  return lhs.path_prefix.size() > rhs.path_prefix.size();
}

} // namespace

routing_table build_routing(const cluster_state& state,
                            const std::vector<route>& routes,
                            std::string default_service,
                            const routing_table* previous) {
  routing_table table;
  table.routes = routes;
  std::stable_sort(table.routes.begin(), table.routes.end(), more_specific);
  table.default_service = std::move(default_service);
  if (!state.cluster_uuid.empty())
    table.loop_token = "troupe-" + state.cluster_uuid;
  std::map<std::string, std::vector<const server*>> members;
  for (auto& [id, candidate] : state.servers) {
    members[candidate.service].push_back(&candidate);
    table.servers.push_back(id);
  }
  // A routed service without servers is a pool too: it can say why it fails.
  for (auto& rule : table.routes)
    members[rule.service];
  if (!table.default_service.empty())
    members[table.default_service];
  for (auto& [service, candidates] : members) {
    auto pool = build_pool(service, candidates);
    pool.cursor = cursor_of(service, previous);
    table.pools.emplace(service, std::move(pool));
  }
  return table;
}

} // namespace troupe

#include "actors/balancer/routing.hpp"

#include <algorithm>
#include <set>

#include "actors/balancer/pick.hpp"

namespace troupe {

namespace {

/// Why nobody in a pool may get traffic, counted while looking at each server.
struct absences {
  std::size_t maintenance = 0;
  std::size_t unhealthy = 0;
  std::size_t weightless = 0;
  std::string last_health_reason;

  /// Whether `candidate` may get traffic; counts it when not.
  bool admit(const server& candidate) {
    if (candidate.maintenance) {
      ++maintenance;
    } else if (candidate.condition == health::unhealthy) {
      ++unhealthy;
      last_health_reason = candidate.condition_reason;
    } else if (candidate.weight == 0) {
      ++weightless;
    } else {
      return true;
    }
    return false;
  }

  std::string explain(const std::string& service) const {
    std::string parts;
    auto add = [&](std::size_t count, std::string what) {
      if (count > 0)
        parts += (parts.empty() ? "" : ", ") + std::to_string(count) + " "
                 + std::move(what);
    };
    add(maintenance, "in maintenance");
    add(unhealthy, last_health_reason.empty()
                     ? "unhealthy"
                     : "unhealthy (" + last_health_reason + ")");
    add(weightless, "of weight 0");
    return "service '" + service + "' has no server for traffic: " + parts;
  }
};

upstream_pool build_pool(const std::string& service,
                         const std::vector<const server*>& members) {
  upstream_pool pool;
  pool.service = service;
  absences out;
  std::vector<std::uint32_t> weights;
  for (auto* candidate : members) {
    if (out.admit(*candidate)) {
      pool.servers.push_back({candidate->id, candidate->host, candidate->port});
      weights.push_back(candidate->weight);
    }
  }
  pool.schedule = smooth_schedule(weights);
  if (members.empty())
    pool.unavailable_reason = "service '" + service + "' has no servers";
  else if (pool.schedule.empty())
    pool.unavailable_reason = out.explain(service);
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

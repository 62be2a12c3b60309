#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "messages/cache.hpp"
#include "messages/cluster_state.hpp"
#include "messages/resources.hpp"
#include "messages/traffic.hpp"

// What the API tells, as JSON, from what was gathered. Pure.

namespace troupe {

/// A server with its counters.
nlohmann::json server_report(const server& what,
                             const traffic_counters& traffic);

/// `loadbalancer/stats`. An empty `service` means all, and what the proxies
/// answered themselves with it.
nlohmann::json load_balancer_report(const cluster_state& state,
                                    const node_traffic& traffic,
                                    std::string_view service,
                                    std::string_view algorithm);

/// `cache/stats`.
nlohmann::json cache_report(const cache_stats& stats);

/// `cluster`. `answering` are the members that this node can ask now.
nlohmann::json cluster_report(const cluster_state& state, member_id self,
                              const std::set<member_id>& answering);

/// The quorum once all that were removed have lost their vote.
nlohmann::json lasting_quorum_report(const cluster_state& state,
                                     const std::set<member_id>& answering);

/// Health of a service, from its servers: `healthy` when all that should take
/// traffic can, `unhealthy` when none can, else `degraded`.
std::string_view service_health(const std::vector<const server*>& servers);

/// Health of the whole, and why it is not better.
struct overall_health {
  /// `unhealthy` without a leader, or when every service is; `degraded` when
  /// some service or member is not well, or there is no server at all.
  std::string_view status = "healthy";
  std::vector<std::string> reasons;
};

/// `routed`: services to which requests may go, with or without servers.
overall_health overall_health_of(const cluster_state& state,
                                 const std::vector<std::string>& routed);

/// `health`. Figures of `system` are this node's.
nlohmann::json
health_report(const cluster_state& state,
              const std::vector<std::string>& routed,
              const std::map<std::string, traffic_counters>& traffic,
              const resource_usage& system, unix_ms now);

nlohmann::json event_report(const event& what);

/// The servers of each service; none for those of `routed` that have none.
std::map<std::string, std::vector<const server*>>
servers_by_service(const cluster_state& state,
                   const std::vector<std::string>& routed);

/// What a node knows of itself beside the cluster's state.
struct own_condition {
  bool draining = false;
  /// It has the leader's word that it may act on its roles.
  bool holds_lease = false;
  /// What keeps its Raft log from being written; empty when nothing does.
  std::string disk_trouble = {};
  /// The members that it can ask now.
  std::set<member_id> answering = {};
  /// What its membership says: why it is no member that may act.
  std::string obstacle = {};
};

/// Why a node should get no requests; empty when it may.
std::vector<std::string> obstacles_to_readiness(const cluster_state& state,
                                                member_id self,
                                                const own_condition& own);

} // namespace troupe

#include "http/gateway/reports.hpp"

#include <algorithm>

#include "actors/balancer/availability.hpp"
#include "messages/quorum.hpp"

namespace troupe {

using nlohmann::json;

namespace {

double mean_ms(const traffic_counters& traffic) {
  return traffic.requests == 0
           ? 0.0
           : static_cast<double>(traffic.latency_us)
               / static_cast<double>(traffic.requests) / 1000;
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0
                    : static_cast<double>(part) / static_cast<double>(whole);
}

traffic_counters traffic_of(const std::map<std::string, traffic_counters>& all,
                            const std::string& server_id) {
  auto i = all.find(server_id);
  return i == all.end() ? traffic_counters{} : i->second;
}

traffic_counters sum(const std::map<std::string, traffic_counters>& all,
                     const std::vector<const server*>& servers) {
  traffic_counters result;
  for (auto* one : servers)
    result += traffic_of(all, one->id);
  return result;
}

json own_answers_report(const own_answers& all) {
  auto result = json::array();
  for (auto& [kind, counted] : all)
    result.push_back({{"status", kind.status},
                      {"cause", to_string(kind.cause)},
                      {"count", counted.count},
                      {"lastDetail", counted.last_detail}});
  return result;
}

/// Requests that are among no server's counters.
traffic_counters without_server(const own_answers& all) {
  traffic_counters result;
  for (auto& [kind, counted] : all) {
    if (concerns_a_server(kind.cause))
      continue;
    result.requests += counted.count;
    if (kind.status == 0 || kind.status >= 500)
      result.failures += counted.count;
  }
  return result;
}

bool is_voter(const member& who) {
  return who.role == raft_role::voter;
}

template <class Votes>
quorum quorum_of(const cluster_state& state,
                 const std::set<member_id>& answering, Votes votes) {
  return count_quorum(
    state, votes, [&](auto& who) { return answering.contains(who.info.id); });
}

json quorum_report(const cluster_state& state, const quorum& now) {
  return {{"voters", now.voters},
          {"needed", now.needed()},
          {"alive", now.alive},
          {"reached", now.reached() && state.leader != member_id::none}};
}

/// Why no leader is known, as far as this node can see.
std::string missing_leader(const cluster_state& state,
                           const std::set<member_id>& answering) {
  auto now = quorum_of(state, answering, is_voter);
  if (now.voters == 0 || now.reached())
    return "no leader is known";
  std::string silent;
  for (auto& [id, who] : state.members)
    if (is_voter(who) && !answering.contains(id))
      silent += (silent.empty() ? "" : ", ") + who.info.name;
  return "no leader is known, and there is no quorum for one: "
         + std::to_string(now.alive) + " of " + std::to_string(now.voters)
         + " voters answer, " + std::to_string(now.needed())
         + " must; silent: " + silent;
}

json slots_report(const cluster_state& state) {
  auto& table = *state.slots;
  auto owned = json::object();
  std::vector<std::uint32_t> counts(table.nodes.size());
  for (auto index : table.owner)
    if (index < counts.size())
      ++counts[index];
  for (std::size_t i = 0; i < counts.size(); ++i) {
    auto member = state.members.find(table.nodes[i]);
    auto name = member == state.members.end() ? to_string(table.nodes[i])
                                              : member->second.info.name;
    owned[name] = counts[i];
  }
  return {{"epoch", table.epoch},
          {"total", slot_count},
          {"assigned", table.owner.size()},
          {"byNode", owned}};
}

json member_report(const cluster_state& state, const member& what) {
  auto reporter = state.members.find(what.reported_by);
  json result{
    {"id", to_string(what.info.id)},
    {"name", what.info.name},
    {"state", to_string(what.state)},
    {"reason", what.reason},
    {"reportedBy", nullptr},
    {"since", to_rfc3339(what.since)},
    {"role", to_string(what.role)},
    {"leader", what.info.id == state.leader},
    {"incarnation", what.info.incarnation},
    {"version", what.info.version},
    {"protocol", what.info.protocol},
    {"ioThreads", what.info.io_threads},
    {"addresses",
     {{"api", to_string(what.info.api)},
      {"cluster", to_string(what.info.cluster)},
      {"proxy", to_string(what.info.proxy)},
      {"resp", to_string(what.info.resp)}}},
  };
  if (reporter != state.members.end())
    result["reportedBy"] = reporter->second.info.name;
  else if (what.reported_by != member_id::none)
    result["reportedBy"] = to_string(what.reported_by);
  return result;
}

} // namespace

json server_report(const server& what, const traffic_counters& traffic) {
  return {
    {"id", what.id},
    {"service", what.service},
    {"host", what.host},
    {"port", what.port},
    {"weight", what.weight},
    {"status", what.maintenance ? "maintenance" : "active"},
    {"maintenance", what.maintenance},
    {"health", to_string(what.condition)},
    {"healthReason", what.condition_reason},
    {"healthSince", to_rfc3339(what.condition_since)},
    {"addedAt", to_rfc3339(what.added_at)},
    {"connections", traffic.active},
    {"responseTime", mean_ms(traffic)},
    {"requests", traffic.requests},
    {"errors", traffic.failures},
  };
}

json load_balancer_report(const cluster_state& state,
                          const node_traffic& traffic, std::string_view service,
                          std::string_view algorithm) {
  traffic_counters total;
  auto servers = json::array();
  for (auto& [id, entry] : state.servers) {
    if (!service.empty() && entry.service != service)
      continue;
    auto counters = traffic_of(traffic.by_server, id);
    servers.push_back(server_report(entry, counters));
    total += counters;
  }
  json own = json::array();
  // Those of removed servers count too, while nobody asks for one service, and
  // those that no server got.
  if (service.empty()) {
    for (auto& [id, counters] : traffic.by_server)
      if (!state.servers.contains(id))
        total += counters;
  }
  auto mean = mean_ms(total);
  if (service.empty()) {
    own = own_answers_report(traffic.own);
    total += without_server(traffic.own);
  }
  return {
    {"totalRequests", total.requests},
    {"totalConnections", total.connections},
    {"activeConnections", total.active},
    {"averageResponseTime", mean},
    {"errorRate", ratio(total.failures, total.requests)},
    {"algorithm", algorithm},
    {"ownAnswers", own},
    {"servers", servers},
  };
}

json cache_report(const cache_stats& stats) {
  return {
    {"hits", stats.hits},
    {"misses", stats.misses},
    {"hitRate", 100 * ratio(stats.hits, stats.hits + stats.misses)},
    {"keys", stats.keys},
    {"sets", stats.sets},
    {"deletes", stats.deletes},
    {"evictions", stats.evictions},
    {"expirations", stats.expirations},
    {"memory",
     {{"used", stats.used_bytes},
      {"available", stats.max_bytes},
      {"percentage", 100 * ratio(stats.used_bytes, stats.max_bytes)}}},
  };
}

json lasting_quorum_report(const cluster_state& state,
                           const std::set<member_id>& answering) {
  return quorum_report(state, quorum_of(state, answering, is_lasting_voter));
}

json cluster_report(const cluster_state& state, member_id self,
                    const std::set<member_id>& answering) {
  auto members = json::array();
  for (auto& [id, entry] : state.members)
    members.push_back(member_report(state, entry));
  json leader = nullptr;
  if (state.leader != member_id::none) {
    leader = {{"id", to_string(state.leader)}, {"name", nullptr}};
    auto i = state.members.find(state.leader);
    if (i != state.members.end())
      leader["name"] = i->second.info.name;
  }
  return {
    {"clusterName", state.cluster_name},
    {"clusterUuid", state.cluster_uuid},
    {"self", to_string(self)},
    {"leader", leader},
    {"term", state.term},
    {"appliedIndex", state.applied_index},
    {"quorum", quorum_report(state, quorum_of(state, answering, is_voter))},
    {"members", members},
    {"slots", slots_report(state)},
  };
}

std::map<std::string, std::vector<const server*>>
servers_by_service(const cluster_state& state,
                   const std::vector<std::string>& routed) {
  std::map<std::string, std::vector<const server*>> result;
  for (auto& service : routed)
    result[service];
  for (auto& [id, entry] : state.servers)
    result[entry.service].push_back(&entry);
  return result;
}

std::string_view service_health(const std::vector<const server*>& servers) {
  availability found{servers};
  if (found.usable() == 0)
    return "unhealthy";
  return found.unhealthy() == 0 ? "healthy" : "degraded";
}

overall_health overall_health_of(const cluster_state& state,
                                 const std::vector<std::string>& routed) {
  overall_health result;
  auto& reasons = result.reasons;
  if (state.leader == member_id::none)
    reasons.emplace_back("no leader is known");
  std::size_t unhealthy = 0;
  auto services = servers_by_service(state, routed);
  for (auto& [name, servers] : services) {
    auto status = service_health(servers);
    if (status != "healthy")
      reasons.push_back(availability{servers}.explain(name));
    unhealthy += status == "unhealthy" ? 1 : 0;
  }
  for (auto& [id, entry] : state.members)
    if (entry.state == verdict::suspect || entry.state == verdict::down)
      reasons.push_back("node '" + entry.info.name + "' is "
                        + std::string{to_string(entry.state)});
  // A cluster to which nobody gave a server yet is not broken.
  auto nothing_works = !state.servers.empty() && unhealthy == services.size();
  if (state.leader == member_id::none || nothing_works)
    result.status = "unhealthy";
  else if (!reasons.empty())
    result.status = "degraded";
  return result;
}

json health_report(const cluster_state& state,
                   const std::vector<std::string>& routed,
                   const std::map<std::string, traffic_counters>& traffic,
                   const resource_usage& system, unix_ms now) {
  auto services = json::array();
  for (auto& [name, servers] : servers_by_service(state, routed)) {
    auto total = sum(traffic, servers);
    // A captured binding needs a name of its own, for clang.
    auto count = [&servers = servers](auto predicate) {
      return std::count_if(servers.begin(), servers.end(), predicate);
    };
    auto oldest = now;
    for (auto* one : servers)
      oldest = std::min(oldest, one->added_at);
    services.push_back({
      {"service", name},
      {"status", service_health(servers)},
      {"reason", service_health(servers) == "healthy"
                   ? ""
                   : availability{servers}.explain(name)},
      {"responseTime", mean_ms(total)},
      {"details",
       {{"uptime", (now - oldest) / 1000},
        // Only a service itself knows these.
        {"cpuUsage", nullptr},
        {"memoryUsage", nullptr},
        {"servers", servers.size()},
        {"healthy",
         count([](auto* s) { return s->condition == health::healthy; })},
        {"unhealthy",
         count([](auto* s) { return s->condition == health::unhealthy; })},
        {"maintenance", count([](auto* s) { return s->maintenance; })},
        {"connections", total.active},
        {"requests", total.requests},
        {"errors", total.failures}}},
    });
  }
  std::map<std::string, std::size_t> nodes{
    {"alive", 0}, {"suspect", 0}, {"down", 0}, {"left", 0}};
  for (auto& [id, entry] : state.members)
    ++nodes[std::string{to_string(entry.state)}];
  auto overall = overall_health_of(state, routed);
  json node_summary = nodes;
  node_summary["total"] = state.members.size();
  return {
    {"status", overall.status},
    {"reasons", overall.reasons},
    {"timestamp", to_rfc3339(now)},
    {"services", services},
    {"system",
     {{"cpu", {{"usage", system.cpu_percent}, {"cores", system.cores}}},
      {"memory",
       {{"total", system.memory_total_bytes},
        {"used", system.memory_used_bytes}}},
      {"disk", {{"usage", system.disk_percent}}},
      {"process",
       {{"cpu", system.process_cpu_percent},
        {"memory", system.process_memory_bytes}}}}},
    {"nodes", node_summary},
    {"uptime", system.uptime_s},
  };
}

json event_report(const event& what) {
  return {
    {"id", what.id},           {"type", what.type},
    {"service", what.service}, {"message", what.message},
    {"level", what.level},     {"timestamp", to_rfc3339(what.at)},
  };
}

std::vector<std::string> obstacles_to_readiness(const cluster_state& state,
                                                member_id self,
                                                const own_condition& own) {
  std::vector<std::string> result;
  if (own.draining)
    result.emplace_back("the node is shutting down");
  if (!own.disk_trouble.empty())
    result.push_back(own.disk_trouble);
  if (!own.obstacle.empty())
    result.push_back(own.obstacle);
  auto i = state.members.find(self);
  if (i == state.members.end())
    result.emplace_back("the node is no member of a cluster yet");
  else if (i->second.state != verdict::alive)
    result.push_back("the cluster holds the node to be "
                     + std::string{to_string(i->second.state)});
  if (state.leader == member_id::none)
    result.push_back(missing_leader(state, own.answering));
  else if (!own.holds_lease)
    result.emplace_back("the node has no lease from the leader");
  if (state.slots->owner.empty())
    result.emplace_back("the cache's slots are not assigned yet");
  return result;
}

} // namespace troupe

#include <caf/all.hpp>

#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"

namespace troupe {

namespace {

using nlohmann::json;

/// The part of the supervisor that tells who runs.
using child_lister =
  caf::typed_actor<caf::replies_to<list_children>::with<children_list>>;

own_condition condition_of(gateway& g) {
  return {g.sources.draining && g.sources.draining->load(),
          !g.sources.roles || g.sources.roles->held(),
          g.sources.disk ? g.sources.disk->get().trouble : std::string{},
          g.answering(),
          g.sources.obstacle ? *g.sources.obstacle->get() : std::string{}};
}

/// Alive: the process runs and its io threads turn.
void get_alive(gateway& g, routed_request from) {
  respond_data(*from.exchange,
               {{"status", "alive"},
                {"node", g.config.self.name},
                {"uptime", (unix_now() - g.config.started_at) / 1000}});
}

/// Ready: this node should get requests.
void get_ready(gateway& g, routed_request from) {
  auto own = condition_of(g);
  auto reasons = obstacles_to_readiness(g.cluster(), g.config.self.id, own);
  if (reasons.empty()) {
    json data{{"status", "ready"}, {"node", g.config.self.name}};
    auto difference = g.cluster().different_routes(g.config.self.id);
    if (!difference.empty())
      data["notes"] = json::array({difference});
    return respond_data(*from.exchange, data);
  }
  std::string detail;
  for (auto& reason : reasons)
    detail += (detail.empty() ? "" : "; ") + reason;
  respond_problem(*from.exchange, problem{own.draining ? errc::shutting_down
                                                       : errc::unavailable,
                                          std::move(detail)});
}

json node_report(gateway& g) {
  auto& self = g.config.self;
  return {{"id", to_string(self.id)},
          {"name", self.name},
          {"version", self.version},
          {"incarnation", self.incarnation},
          {"ioThreads", self.io_threads},
          {"startedAt", to_rfc3339(g.config.started_at)},
          {"uptime", (unix_now() - g.config.started_at) / 1000}};
}

json children_report(const gathered<children_list>& answers) {
  auto result = json::array();
  for (auto& [place, list] : answers.replies)
    for (auto& child : list.children)
      result.push_back({{"name", child.name},
                        {"state", child.state},
                        {"restarts", child.restarts},
                        {"lastReason", child.last_reason}});
  return result;
}

/// Each local actor's own words; null for one that did not answer.
json actors_report(const std::vector<actor_place>& asked,
                   const gathered<actor_status>& answers) {
  auto result = json::object();
  for (auto& place : asked)
    result[place.name] = nullptr;
  for (auto& [place, status] : answers.replies)
    result[place.name] = status.details;
  return result;
}

void get_node_status(gateway& g, routed_request from) {
  std::vector<actor_place> actors;
  for (auto& [name, handle] : g.names().local)
    actors.push_back({g.config.self.id, name});
  std::vector<actor_place> supervisor{{g.config.self.id, "supervisor"}};
  g.gather<child_lister, children_list>(
    supervisor, list_children{},
    [&g, actors,
     exchange = from.exchange](const gathered<children_list>& children) {
      auto data =
        json{{"node", node_report(g)}, {"children", children_report(children)}};
      g.gather<status_protocol, actor_status>(
        actors, get_status{},
        [data, actors, exchange](const gathered<actor_status>& answers) {
          auto complete = data;
          complete["actors"] = actors_report(actors, answers);
          respond_data(*exchange, complete);
        });
    });
}

} // namespace

void add_operations_routes(gateway_router& routes) {
  routes.add(http_verb::get, "/health", {get_alive});
  routes.add(http_verb::get, "/ready", {get_ready});
  routes.add(http_verb::get, "/status", {get_node_status});
}

} // namespace troupe

#include "http/gateway/figures.hpp"
#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"

namespace troupe {

namespace {

using nlohmann::json;

void get_health(gateway& g, routed_request from) {
  gather_figures(g, {.traffic = true, .system = true},
                 [&g, exchange = from.exchange](const figures& all) {
                   auto data = health_report(
                     g.cluster(), g.config.routed_services,
                     all.traffic.by_server, all.system, unix_now());
                   data["unreachable"] = g.names_of(all.unreachable);
                   respond_data(*exchange, data);
                 });
}

void get_dashboard(gateway& g, routed_request from) {
  gather_figures(
    g, {.traffic = true, .cache = true, .system = true},
    [&g, exchange = from.exchange](const figures& all) {
      auto unreachable = g.names_of(all.unreachable);
      auto& state = g.cluster();
      respond_data(
        *exchange,
        {{"health",
          health_report(state, g.config.routed_services, all.traffic.by_server,
                        all.system, unix_now())},
         {"cluster", cluster_report(state, g.config.self.id, g.answering())},
         {"loadBalancer",
          load_balancer_report(state, all.traffic, {}, g.config.algorithm)},
         {"cache", cache_report(all.cache)},
         {"scaling", json::array()},
         {"alerts", json::array()},
         {"unreachable", unreachable}});
    });
}

} // namespace

void add_health_routes(gateway_router& routes) {
  routes.add(http_verb::get, "/api/infrastructure/health", {get_health});
  routes.add(http_verb::get, "/api/infrastructure/dashboard", {get_dashboard});
}

} // namespace troupe

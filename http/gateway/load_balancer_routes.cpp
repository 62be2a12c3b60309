#include <caf/all.hpp>

#include "http/gateway/figures.hpp"
#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"

namespace troupe {

namespace {

constexpr std::string_view servers_path =
  "/api/infrastructure/loadbalancer/servers";

void respond_server(gateway& g, http_exchange& exchange, const std::string& id,
                    unsigned status, const node_traffic& traffic = {}) {
  auto& servers = g.cluster().servers;
  auto i = servers.find(id);
  if (i == servers.end()) // Somebody removed it right after our change.
    return respond_problem(exchange,
                           problem{errc::not_found, "no such server: " + id});
  std::vector<std::pair<std::string, std::string>> headers;
  if (status == 201)
    headers.emplace_back("Location",
                         std::string{servers_path} + "/" + percent_encode(id));
  auto counters = traffic.by_server.find(id);
  respond_data(exchange,
               server_report(i->second, counters == traffic.by_server.end()
                                          ? traffic_counters{}
                                          : counters->second),
               status, std::move(headers));
}

add_server read_server(field_reader& body, const std::string& service) {
  add_server result;
  result.host = body.text("host", text_rules::host);
  result.port = static_cast<std::uint16_t>(body.integer("port", 1, 65535));
  result.weight =
    static_cast<std::uint32_t>(body.integer("weight", 0, 1000, 1));
  result.service = body.text("service", text_rules::name, service);
  return result;
}

void post_server(gateway& g, routed_request from) {
  g.read_body(
    from.exchange, {"host", "port", "weight", "service"},
    [service = g.config.default_service](field_reader& body) {
      return read_server(body, service);
    },
    [&g, exchange = from.exchange](const add_server& wanted) {
      g.change(exchange, wanted, [&g, exchange](const apply_result& result) {
        respond_server(g, *exchange, result.value, 201);
      });
    });
}

void delete_server(gateway& g, routed_request from) {
  auto id = from.params.at("serverId");
  g.change(from.exchange, remove_server{id},
           [exchange = from.exchange, id](const apply_result&) {
             respond_data(*exchange, {{"id", id}, {"removed", true}});
           });
}

void put_maintenance(gateway& g, routed_request from) {
  g.read_body(
    from.exchange, {"maintenance"},
    [](field_reader& body) { return body.boolean("maintenance"); },
    [&g, exchange = from.exchange,
     id = from.params.at("serverId")](bool maintenance) {
      g.change(exchange, set_maintenance{id, maintenance},
               [&g, exchange, id](const apply_result&) {
                 // Whoever drains a server waits until it has no connections.
                 gather_figures(g, {.traffic = true},
                                [&g, exchange, id](const figures& all) {
                                  respond_server(g, *exchange, id, 200,
                                                 all.traffic);
                                });
               });
    });
}

void get_stats(gateway& g, routed_request from) {
  auto service = std::move(from.query["service"]);
  gather_figures(g, {.traffic = true},
                 [&g, service, exchange = from.exchange](const figures& all) {
                   auto data = load_balancer_report(
                     g.cluster(), all.traffic, service, g.config.algorithm);
                   data["unreachable"] = g.names_of(all.unreachable);
                   respond_data(*exchange, data);
                 });
}

} // namespace

void add_load_balancer_routes(gateway_router& routes) {
  std::string base{servers_path};
  routes.add(http_verb::get, "/api/infrastructure/loadbalancer/stats",
             {get_stats, body_kind::none, {"service"}});
  routes.add(http_verb::post, base, {post_server, body_kind::fields});
  routes.add(http_verb::delete_, base + "/:serverId", {delete_server});
  routes.add(http_verb::put, base + "/:serverId/maintenance",
             {put_maintenance, body_kind::fields});
}

} // namespace troupe

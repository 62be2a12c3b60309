#include "http/gateway/gateway.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "http/gateway/gateway_state.hpp"
#include "http/gateway/routes.hpp"
#include "messages/cluster.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

struct gateway_actor_state {
  std::unique_ptr<gateway> impl;
  static inline const char* name = "http_gateway";
};

http_gateway_actor::behavior_type
http_gateway(http_gateway_actor::stateful_pointer<gateway_actor_state> self,
             gateway_config config, gateway_sources sources,
             std::uint32_t io_thread) {
  outlive_strays(self);
  self->state.impl = std::make_unique<gateway>(self, std::move(config),
                                               std::move(sources), io_thread);
  auto* impl = self->state.impl.get();
  return {
    [impl](const http_exchange_ptr& exchange) { impl->serve(exchange); },
    [](const deferred_work& work) { work.run(); },
    [impl](get_status) {
      return actor_status{impl->name,
                          {{"requests", std::to_string(impl->served)}}};
    },
  };
}

/// Whether what is read must be as new as the leader's state.
caf::expected<bool> wants_consistency(const http_request& request) {
  auto query = parse_query(request.query());
  if (!query)
    return make_error(errc::malformed, "the query has a % without two hex "
                                       "digits or a name twice");
  auto i = query->find("consistent");
  if (i == query->end() || i->second == "false")
    return false;
  if (i->second == "true")
    return true;
  return make_error(errc::invalid_field, "'consistent' must be true or false",
                    "consistent");
}

bool is_read(http_verb method) {
  return method == http_verb::get || method == http_verb::head;
}

} // namespace

caf::error gateway_config::validate() const {
  if (default_service.empty())
    return make_error(errc::invalid_field, "must not be empty",
                      "defaultService");
  if (default_ttl.count() < 0)
    return make_error(errc::invalid_field, "must be at least 0", "ttl");
  if (gather_timeout.count() <= 0 || cache_timeout.count() <= 0)
    return make_error(errc::invalid_field, "must be above 0 ms", "timeouts");
  if (cache_attempts == 0)
    return make_error(errc::invalid_field, "must be at least 1",
                      "cacheAttempts");
  return caf::none;
}

std::string gateway_name(std::uint32_t io_thread) {
  return "http_gateway/" + std::to_string(io_thread);
}

http_gateway_actor spawn_http_gateway(caf::actor_system& system,
                                      gateway_config config,
                                      gateway_sources sources,
                                      std::uint32_t io_thread) {
  return system.spawn<caf::lazy_init>(http_gateway, std::move(config),
                                      std::move(sources), io_thread);
}

server_handlers gateway_handlers(io_thread& io, const directory_ptr& names) {
  auto reader =
    std::make_shared<published_reader<directory::snapshot>>(names->reader());
  auto on_request = [&io, reader, name = gateway_name(io.index())](
                      const http_exchange_ptr& exchange) {
    auto& local = reader->get().local;
    auto gateway = local.find(name);
    if (gateway == local.end())
      return respond_problem(
        *exchange, problem{errc::unavailable, name + " is being restarted"});
    gateway->second->enqueue(nullptr, caf::make_message_id(),
                             caf::make_message(exchange), &io);
    io.drain();
  };
  return {on_request, render_failure};
}

server_config api_server_config(server_config base,
                                const gateway_config& gateway) {
  // JSON text may be larger than the msgpack that is stored: `\u0000` is one
  // byte there.
  base.path_limits.push_back({"/api/infrastructure/cache/keys/",
                              2 * gateway.max_value_bytes + (64 << 10)});
  return base;
}

gateway::gateway(pointer self, gateway_config config, gateway_sources sources,
                 std::uint32_t io_thread)
  : self(self), config(std::move(config)), sources(std::move(sources)),
    name(gateway_name(io_thread)), cluster_(this->sources.cluster),
    names_(this->sources.names->reader()),
    random_(static_cast<std::uint_fast32_t>(this->config.self.id) + io_thread) {
  add_cache_routes(routes_);
  add_catalog_routes(routes_);
  add_cluster_routes(routes_);
  add_health_routes(routes_);
  add_load_balancer_routes(routes_);
  add_metrics_route(routes_);
  add_operations_routes(routes_);
}

void gateway::serve(const http_exchange_ptr& exchange) {
  ++served;
  auto& request = exchange->request();
  if (request.method == http_verb::options && request.path() == "*")
    return exchange->respond(
      {204, {}, {}, {{"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"}}});
  auto found = routes_.find(request.method, request.path());
  switch (found.outcome) {
    case routing_outcome::found:
      if (!request.query().empty()) {
        auto consistent = wants_consistency(request);
        if (!consistent)
          return respond_problem(*exchange, consistent.error());
        if (*consistent && is_read(request.method))
          return change(
            exchange, read_barrier{},
            [this, handler = *found.handler, exchange,
             params = std::move(found.params)](const apply_result&) {
              run(handler, {exchange, params});
            });
      }
      return run(*found.handler, {exchange, std::move(found.params)});
    case routing_outcome::unknown_path:
      return respond_problem(
        *exchange, problem{errc::not_found,
                           "no such route: " + std::string{request.path()}});
    case routing_outcome::malformed_path:
      return respond_problem(
        *exchange,
        problem{errc::malformed, "the path has a % without two hex digits"});
    case routing_outcome::other_methods:
      if (request.method == http_verb::options)
        return exchange->respond(
          {204, {}, {}, {{"Allow", std::string{found.allow}}}});
      http_response answer;
      answer.status = 405;
      answer.body = render(
        {errc::method_not_allowed, "allowed here: " + std::string{found.allow}},
        request.path(), request.request_id);
      answer.headers.emplace_back("Allow", found.allow);
      return exchange->respond(std::move(answer));
  }
}

void gateway::run(route_handler handler, routed_request request) {
  auto exchange = request.exchange;
  try {
    handler(*this, std::move(request));
  } catch (const std::exception& failure) {
    auto& failed = exchange->request();
    spdlog::error("{}: {} {} failed: {}", name, static_cast<int>(failed.method),
                  failed.path(), failure.what());
    respond_problem(*exchange, problem{errc::internal, failure.what()});
  }
}

void gateway::change(const http_exchange_ptr& exchange, command_body body,
                     std::function<void(const apply_result&)> done) {
  auto catalog = find<proposer_actor>(config.self.id, "catalog");
  if (!catalog)
    return respond_problem(
      *exchange, problem{errc::unavailable, "the catalog is restarting"});
  // The catalog has a deadline of its own, and its end is reported.
  self->request(catalog, caf::infinite, propose{std::move(body)})
    .then(
      [exchange, done](const apply_result& result) {
        if (auto failure = result.failure())
          return respond_problem(*exchange, failure);
        done(result);
      },
      [exchange](const caf::error& failure) {
        respond_problem(*exchange, failure);
      });
}

const std::string& gateway::shard_name(std::uint32_t index) {
  while (shard_names_.size() <= index)
    shard_names_.push_back("cache_shard/"
                           + std::to_string(shard_names_.size()));
  return shard_names_[index];
}

std::vector<actor_place> gateway::on_each_node(std::string_view name) {
  std::vector<actor_place> result;
  for (auto& [id, entry] : cluster().members)
    if (entry.state == verdict::alive || entry.state == verdict::suspect)
      result.push_back({id, std::string{name}});
  if (result.empty())
    result.push_back({config.self.id, std::string{name}});
  return result;
}

std::vector<actor_place> gateway::shards_of(const node_info& node) {
  std::vector<actor_place> result;
  for (std::uint32_t i = 0; i < node.io_threads; ++i)
    result.push_back({node.id, shard_name(i)});
  return result;
}

std::vector<actor_place> gateway::local_shards() {
  return shards_of(config.self);
}

std::vector<actor_place> gateway::all_shards() {
  std::vector<actor_place> result;
  for (auto& place : on_each_node({})) {
    auto& members = cluster().members;
    auto i = members.find(place.node);
    auto shards = shards_of(i == members.end() ? config.self : i->second.info);
    result.insert(result.end(), shards.begin(), shards.end());
  }
  return result;
}

void gateway::defer(std::chrono::milliseconds delay,
                    std::function<void()> work) {
  self->delayed_send(self, delay, deferred_work{std::move(work)});
}

std::string gateway::name_of(member_id node) {
  if (node == config.self.id)
    return config.self.name;
  auto& members = cluster().members;
  auto i = members.find(node);
  return i == members.end() ? to_string(node) : i->second.info.name;
}

nlohmann::json gateway::names_of(const std::set<member_id>& nodes) {
  auto result = nlohmann::json::array();
  for (auto node : nodes)
    result.push_back(name_of(node));
  return result;
}

double gateway::jitter() {
  return std::uniform_real_distribution<>{0.5, 1.5}(random_);
}

std::map<std::string, std::string, std::less<>>
read_query(const http_request& request) {
  auto result = parse_query(request.query());
  if (!result)
    return {};
  result->erase("consistent");
  return std::move(*result);
}

std::string to_text(const nlohmann::json& data) {
  return data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void respond_data(http_exchange& exchange, const nlohmann::json& data,
                  unsigned status,
                  std::vector<std::pair<std::string, std::string>> headers) {
  exchange.respond({status, json_type,
                    R"({"success":true,"data":)" + to_text(data) + "}",
                    std::move(headers)});
}

} // namespace troupe

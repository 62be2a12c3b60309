#include "http/gateway/gateway.hpp"

#include <algorithm>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "http/gateway/gateway_state.hpp"
#include "http/gateway/host_rules.hpp"
#include "http/gateway/routes.hpp"
#include "messages/cluster.hpp"
#include "messages/keys.hpp"
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

constexpr std::string_view consistent = "consistent";

/// Bodies that one gateway may have waiting to be read elsewhere.
constexpr std::uint32_t max_read_elsewhere = 256;

bool is_read(http_verb method) {
  return method == http_verb::get || method == http_verb::head;
}

/// Whether what is read must be as new as the leader's state. Takes the
/// parameter out.
std::variant<bool, problem> wants_consistency(query_parameters& query) {
  auto i = query.find(consistent);
  if (i == query.end())
    return false;
  auto value = std::move(i->second);
  query.erase(i);
  if (value != "true" && value != "false")
    return problem{errc::invalid_field, "'consistent' must be true or false",
                   std::string{consistent}};
  return value == "true";
}

/// Bytes that bodies of a kind may have.
std::uint64_t body_limit(body_kind kind, const gateway_config& config) {
  // JSON text may be larger than what is stored: `\u0000` is one byte there.
  constexpr std::uint64_t around = 64 << 10;
  switch (kind) {
    case body_kind::none:
    case body_kind::fields:
      break;
    case body_kind::catalog_value:
      return 2 * max_catalog_value_bytes + around;
    case body_kind::cache_value:
      return 2 * config.max_value_bytes + around;
  }
  return 16 << 10;
}

body_kind body_of(http_verb method, std::string_view path) {
  // What others carry has no meaning (RFC 9110 §9.3).
  if (method != http_verb::post && method != http_verb::put)
    return body_kind::none;
  auto found = api_routes().find(method, path);
  return found.handler == nullptr ? body_kind::none : found.handler->body;
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
  base.body_limit_of = [gateway, most = base.max_body_bytes](
                         http_verb method, std::string_view path) {
    auto kind = body_of(method, path);
    auto limit = body_limit(kind, gateway);
    return kind == body_kind::cache_value ? limit : std::min(limit, most);
  };
  return base;
}

gateway::gateway(pointer self, gateway_config config, gateway_sources sources,
                 std::uint32_t io_thread)
  : self(self), config(std::move(config)), sources(std::move(sources)),
    name(gateway_name(io_thread)), cluster_(this->sources.cluster),
    names_(this->sources.names->reader()),
    random_(static_cast<std::uint_fast32_t>(this->config.self.id) + io_thread) {
}

const gateway_router& api_routes() {
  static const auto routes = [] {
    gateway_router result;
    add_cache_routes(result);
    add_catalog_routes(result);
    add_cluster_routes(result);
    add_health_routes(result);
    add_load_balancer_routes(result);
    add_metrics_route(result);
    add_operations_routes(result);
    return result;
  }();
  return routes;
}

bool gateway::is_own_host(std::string_view host) {
  auto names = [&](const node_info& node) {
    return same_host(host, node.name) || same_host(host, node.api.host);
  };
  auto& members = cluster().members;
  return names(config.self)
         || std::any_of(config.allowed_hosts.begin(),
                        config.allowed_hosts.end(),
                        [&](auto& own) { return same_host(host, own); })
         || std::any_of(members.begin(), members.end(),
                        [&](auto& entry) { return names(entry.second.info); });
}

/// What is wrong with a request whatever its route.
std::optional<problem> gateway::refuse(const http_request& request) {
  auto misdirected = foreign_host(
    request, [this](std::string_view host) { return is_own_host(host); });
  return misdirected ? misdirected : foreign_origin(request);
}

void gateway::serve(const http_exchange_ptr& exchange) {
  ++served;
  auto& request = exchange->request();
  if (auto refused = refuse(request))
    return respond_problem(*exchange, *refused);
  if (request.method == http_verb::options && request.path() == "*")
    return exchange->respond(
      {204, {}, {}, {{"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"}}});
  auto found = api_routes().find(request.method, request.path());
  switch (found.outcome) {
    case routing_outcome::found:
      return enter(*found.handler, {exchange, std::move(found.params), {}});
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

/// Calls the route's handler, if the request has nothing but what it takes.
void gateway::enter(const api_route& where, routed_request request) {
  auto& exchange = request.exchange;
  if (where.body == body_kind::none && !request.request().body.empty())
    return respond_problem(
      *exchange, problem{errc::malformed, "this route takes no body", "body"});
  auto reads = is_read(request.request().method);
  if (!request.request().query().empty()) {
    auto known = where.query;
    if (reads)
      known.push_back(consistent);
    auto query = read_parameters(request.request().query(), known);
    if (auto* wrong = std::get_if<problem>(&query))
      return respond_problem(*exchange, *wrong);
    request.query = std::move(std::get<query_parameters>(query));
    auto barrier = wants_consistency(request.query);
    if (auto* wrong = std::get_if<problem>(&barrier))
      return respond_problem(*exchange, *wrong);
    if (std::get<bool>(barrier))
      return change(exchange, read_barrier{},
                    [this, handler = where.handler,
                     request](const apply_result&) { run(handler, request); });
  }
  run(where.handler, std::move(request));
}

void gateway::read_elsewhere(const http_exchange_ptr& exchange,
                             std::function<void()> read,
                             std::function<void()> finish) {
  auto reader = find<body_reader_actor>(config.self.id, "body_reader");
  if (!reader)
    return respond_problem(
      *exchange, problem{errc::unavailable, "body_reader is being restarted"});
  if (read_elsewhere_ >= max_read_elsewhere)
    return respond_problem(
      *exchange,
      problem{errc::overloaded, "too many large bodies wait; try again later"});
  ++read_elsewhere_;
  auto guarded = [exchange, read = std::move(read)] {
    try {
      if (!is_late(exchange->request()))
        read();
    } catch (const std::exception& failure) {
      respond_problem(*exchange, problem{errc::internal, failure.what()});
    }
  };
  self
    ->request(reader, caf::infinite,
              body_reading{std::move(guarded), exchange->request().body.size()})
    .then(
      [this, finish](bool) {
        --read_elsewhere_;
        finish();
      },
      [this, exchange](const caf::error& failure) {
        --read_elsewhere_;
        respond_problem(*exchange, failure);
      });
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

std::set<member_id> gateway::answering() {
  std::set<member_id> result{config.self.id};
  for (auto& [id, actors] : names().peers)
    result.insert(id);
  return result;
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

bool is_late(const http_request& request) {
  using clock = std::chrono::steady_clock;
  return request.deadline != clock::time_point{}
         && clock::now() >= request.deadline;
}

std::string to_text(const nlohmann::json& data) {
  return data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void respond_data(http_exchange& exchange, const nlohmann::json& data,
                  unsigned status,
                  std::vector<std::pair<std::string, std::string>> headers) {
  exchange.respond({status, json_type,
                    R"({"success":true,"data":)" + to_text(data) + "}\n",
                    std::move(headers)});
}

} // namespace troupe

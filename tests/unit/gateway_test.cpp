#define CAF_SUITE gateway

#include "http/gateway/gateway.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include "http/gateway/percent.hpp"
#include "messages/slots.hpp"

using namespace troupe;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto self_id = member_id{1};
constexpr auto peer_id = member_id{2};

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

/// Keeps what was answered.
struct recorder : answer_channel {
  std::optional<http_response> answer;
  bool abandoned = false;

  void deliver(std::uint64_t, http_response what) override {
    answer = std::move(what);
  }

  void abandon(std::uint64_t) override { abandoned = true; }
};

struct response {
  int status = 0;
  std::string text;
  json body;
  std::map<std::string, std::string> headers;

  const json& data() const& { return body.at("data"); }
  json data() && { return body.at("data"); }
  const json& error() const { return body.at("error"); }
  /// By value, as the response itself may be gone when it is compared.
  json field(const char* name) const { return data().at(name); }
};

/// Entries of a fake cache shard, and how often it first says no.
struct fake_cache {
  std::map<std::string, cache_set> entries;
  std::vector<errc> refusals;
  std::uint64_t epoch = 0;

  std::optional<caf::error> refusal() {
    if (refusals.empty())
      return std::nullopt;
    auto code = refusals.front();
    refusals.erase(refusals.begin());
    return make_error(code, "refused by the test");
  }
};

caf::behavior fake_shard(caf::event_based_actor*, fake_cache* cache) {
  return {
    [=](const cache_get& what) -> caf::result<cache_value> {
      cache->epoch = what.epoch;
      if (auto no = cache->refusal())
        return *no;
      auto i = cache->entries.find(what.key);
      if (i == cache->entries.end())
        return make_error(errc::not_found, "absent");
      return cache_value{i->second.bytes, i->second.encoding, i->second.ttl_ms};
    },
    [=](const cache_set& what) -> caf::result<cache_count> {
      if (auto no = cache->refusal())
        return *no;
      cache->entries[what.key] = what;
      return cache_count{1};
    },
    [=](const cache_delete& what) -> caf::result<cache_count> {
      return cache_count{cache->entries.erase(what.key)};
    },
    [=](const cache_clear&) {
      cache_count result{cache->entries.size()};
      cache->entries.clear();
      return result;
    },
    [=](const get_cache_stats&) {
      cache_stats stats;
      stats.hits = 9;
      stats.misses = 1;
      stats.keys = cache->entries.size();
      stats.used_bytes = 10;
      stats.max_bytes = 100;
      return stats;
    },
    [=](get_status) {
      return actor_status{"cache_shard", {{"keys", "0"}}};
    },
  };
}

/// Applies what is proposed, as a one-node cluster would.
caf::behavior fake_catalog(caf::event_based_actor*, cluster_view view) {
  return {[=](const propose& what) -> caf::result<apply_result> {
    auto next = *view->get();
    apply_result result;
    auto missing = [&](const std::string& id) {
      if (next.servers.contains(id))
        return false;
      result.code = static_cast<std::uint8_t>(errc::not_found);
      result.detail = "no such server: " + id;
      return true;
    };
    if (auto* add = std::get_if<add_server>(&what.body)) {
      if (add->host == "no-quorum")
        return make_error(errc::no_quorum, "2 of 3 voters are away");
      server entry;
      entry.id = result.value = "server-7";
      entry.service = add->service;
      entry.host = add->host;
      entry.port = add->port;
      entry.weight = add->weight;
      next.servers[entry.id] = entry;
    } else if (auto* remove = std::get_if<remove_server>(&what.body)) {
      if (!missing(remove->id))
        next.servers.erase(remove->id);
    } else if (auto* change = std::get_if<set_maintenance>(&what.body)) {
      if (!missing(change->id))
        next.servers[change->id].maintenance = change->maintenance;
    }
    view->set(std::move(next));
    return result;
  }};
}

caf::behavior fake_balancer(caf::event_based_actor*, std::uint64_t requests) {
  return {[=](get_traffic) {
    node_traffic result;
    result.by_server["server-1"] = {requests, 1, 2, 3, requests * 2000};
    return result;
  }};
}

caf::behavior fake_monitor(caf::event_based_actor*) {
  return {[](get_resources) {
    resource_usage usage;
    usage.cpu_percent = 45;
    usage.cores = 4;
    usage.uptime_s = 3600;
    return usage;
  }};
}

caf::behavior fake_supervisor(caf::event_based_actor*) {
  return {[](list_children) {
            return children_list{{{"balancer", "running", 2, "kill"}}};
          },
          [](get_status) {
            return actor_status{"supervisor", {}};
          }};
}

struct fixture : test_coordinator_fixture<config> {
  cluster_view view = std::make_shared<published<cluster_state>>();
  directory_ptr names = std::make_shared<directory>();
  std::shared_ptr<std::atomic<bool>> draining =
    std::make_shared<std::atomic<bool>>(false);
  fake_cache local_cache;
  fake_cache peer_cache;
  http_gateway_actor gateway;

  fixture() {
    cluster_state state;
    state.cluster_uuid = "uuid";
    state.cluster_name = "test";
    state.leader = peer_id;
    state.term = 4;
    state.members[self_id] = member_of(self_id, "node-1");
    state.members[peer_id] = member_of(peer_id, "node-2");
    server known;
    known.id = "server-1";
    known.service = "demo";
    known.host = "localhost";
    known.port = 3000;
    known.condition = health::healthy;
    state.servers[known.id] = known;
    slot_table table;
    table.epoch = 5;
    table.nodes = {self_id, peer_id};
    for (std::uint32_t i = 0; i < slot_count; ++i)
      table.owner.push_back(i < slot_count / 2 ? 0 : 1);
    state.slots = std::make_shared<slot_table>(table);
    std::deque<event> events;
    for (int i = 1; i <= 5; ++i)
      events.push_back({"event-" + std::to_string(i),
                        i % 2 == 0 ? "health" : "cluster", "demo", "x",
                        i == 5 ? "error" : "info", i * 1000});
    state.events = std::make_shared<std::deque<event>>(events);
    view->set(state);
    put("balancer", sys.spawn(fake_balancer, 10u));
    put("cache_shard/0", sys.spawn(fake_shard, &local_cache));
    put("catalog", sys.spawn(fake_catalog, view));
    put("resource_monitor", sys.spawn(fake_monitor));
    put("supervisor", sys.spawn(fake_supervisor));
    connect_peer();
    gateway_config settings;
    settings.self = view->get()->members.at(self_id).info;
    settings.default_service = "demo";
    settings.started_at = unix_now() - 5000;
    settings.max_value_bytes = 1000;
    settings.max_key_bytes = 100;
    gateway = spawn_http_gateway(
      sys, settings, {view, names, [] { return http_totals{}; }, draining}, 0);
    put("http_gateway/0", caf::actor_cast<caf::actor>(gateway));
    consume_messages();
  }

  ~fixture() override {
    auto current = names->get();
    for (auto& [name, handle] : current->local)
      stop(handle);
    for (auto& [name, handle] : peer_actors)
      stop(handle);
    consume_messages();
  }

  static void stop(const caf::strong_actor_ptr& who) {
    caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  }

  static member member_of(member_id id, std::string name) {
    member result;
    result.info.id = id;
    result.info.name = std::move(name);
    result.role = raft_role::voter;
    result.info.api = {"127.0.0.1", 3006};
    return result;
  }

  actor_names peer_actors;

  void connect_peer() {
    auto add = [this](const char* name, caf::actor who) {
      peer_actors[name] = caf::actor_cast<caf::strong_actor_ptr>(who);
    };
    add("balancer", sys.spawn(fake_balancer, 30u));
    add("cache_shard/0", sys.spawn(fake_shard, &peer_cache));
    names->put_peer(peer_id, peer_actors);
  }

  void put(const std::string& name, const caf::actor& who) {
    names->put(name, caf::actor_cast<caf::strong_actor_ptr>(who));
  }

  template <class Change>
  void alter(Change change) {
    auto next = *view->get();
    change(next);
    view->set(std::move(next));
  }

  caf::intrusive_ptr<recorder> send(http_verb method, std::string_view target,
                                    std::string body = {}) {
    http_request request;
    request.method = method;
    request.set_target(target);
    request.request_id = "r-1";
    request.body = std::move(body);
    auto channel = caf::make_counted<recorder>();
    caf::anon_send(gateway, caf::make_counted<http_exchange>(std::move(request),
                                                             channel, 1));
    consume_messages();
    return channel;
  }

  static response read(const recorder& from) {
    CAF_REQUIRE(from.answer.has_value());
    response result;
    result.status = static_cast<int>(from.answer->status);
    result.text = from.answer->body;
    if (from.answer->content_type == json_type && !result.text.empty())
      result.body = json::parse(result.text);
    for (auto& [name, value] : from.answer->headers)
      result.headers[name] = value;
    return result;
  }

  response ask(http_verb method, std::string_view target,
               std::string body = {}) {
    return read(*send(method, target, std::move(body)));
  }

  response get(std::string_view target) { return ask(http_verb::get, target); }

  /// As `ask`, letting time pass until there is an answer.
  response ask_patiently(http_verb method, std::string_view target,
                         std::string body = {}) {
    auto channel = send(method, target, std::move(body));
    for (int i = 0; i < 200 && !channel->answer; ++i) {
      advance_time(100ms);
      consume_messages();
    }
    return read(*channel);
  }

  void check_problem(const response& what, int status, const std::string& code,
                     const std::string& field = {}) {
    CAF_CHECK_EQUAL(what.status, status);
    CAF_CHECK_EQUAL(what.body["success"], false);
    CAF_CHECK_EQUAL(what.error()["status"], status);
    CAF_CHECK_EQUAL(what.error()["code"], code);
    CAF_CHECK_EQUAL(what.error()["requestId"], "r-1");
    if (!field.empty())
      CAF_CHECK_EQUAL(what.error()["field"], field);
  }
};

const std::string base = "/api/infrastructure";
const std::string servers = base + "/loadbalancer/servers";

std::string key_path(std::string_view key) {
  return base + "/cache/keys/" + percent_encode(key);
}

/// A key whose slot belongs to this node or to the peer.
std::string key_of(member_id owner) {
  for (int i = 0;; ++i) {
    auto key = "key:" + std::to_string(i);
    if ((slot_of(key) < slot_count / 2) == (owner == self_id))
      return key;
  }
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_tests, fixture)

CAF_TEST(unknown routes and methods are told) {
  auto unknown = get("/nowhere");
  check_problem(unknown, 404, "not_found");
  CAF_CHECK_NOT_EQUAL(
    unknown.error()["detail"].get<std::string>().find("/nowhere"),
    std::string::npos);
  auto other = ask(http_verb::delete_, base + "/health");
  check_problem(other, 405, "method_not_allowed");
  CAF_CHECK_EQUAL(other.headers["Allow"], "OPTIONS, GET, HEAD");
  auto options = send(http_verb::options, base + "/health")->answer;
  CAF_CHECK_EQUAL(options->status, 204u);
  CAF_CHECK_EQUAL(options->headers.front().second, "OPTIONS, GET, HEAD");
  auto server_wide = send(http_verb::options, "*")->answer;
  CAF_CHECK_EQUAL(server_wide->status, 204u);
  check_problem(get(base + "/cache/keys/%zz"), 400, "malformed");
}

CAF_TEST(liveness and readiness) {
  CAF_CHECK_EQUAL(get("/health").status, 200);
  CAF_CHECK_EQUAL(get("/ready").status, 200);
  alter([](auto& state) { state.leader = member_id::none; });
  auto blind = get("/ready");
  check_problem(blind, 503, "unavailable");
  CAF_CHECK_EQUAL(blind.error()["detail"], "no leader is known");
  CAF_CHECK_EQUAL(blind.headers["Retry-After"], "1");
  alter([](auto& state) {
    state.leader = peer_id;
    state.members[self_id].state = verdict::suspect;
  });
  CAF_CHECK_EQUAL(get("/ready").status, 503);
  alter([](auto& state) { state.members[self_id].state = verdict::alive; });
  *draining = true;
  check_problem(get("/ready"), 503, "shutting_down");
  CAF_CHECK_EQUAL(get("/health").status, 200);
}

CAF_TEST(the cluster shows members leader and slots) {
  auto data = get(base + "/cluster").data();
  CAF_CHECK_EQUAL(data["leader"]["name"], "node-2");
  CAF_CHECK_EQUAL(data["term"], 4);
  CAF_CHECK_EQUAL(data["members"].size(), 2u);
  CAF_CHECK_EQUAL(data["members"][0]["state"], "alive");
  CAF_CHECK_EQUAL(data["members"][0]["addresses"]["api"], "127.0.0.1:3006");
  CAF_CHECK_EQUAL(data["slots"]["byNode"]["node-1"], 8192);
  CAF_CHECK_EQUAL(data["quorum"]["needed"], 2);
  CAF_CHECK_EQUAL(data["quorum"]["reached"], true);
}

CAF_TEST(statistics are summed over the nodes) {
  auto data = get(base + "/loadbalancer/stats").data();
  CAF_CHECK_EQUAL(data["totalRequests"], 40);
  CAF_CHECK_EQUAL(data["activeConnections"], 6);
  CAF_CHECK_EQUAL(data["totalConnections"], 4);
  CAF_CHECK_EQUAL(data["averageResponseTime"], 2.0);
  CAF_CHECK_EQUAL(data["errorRate"], 0.05);
  CAF_CHECK_EQUAL(data["algorithm"], "round-robin");
  CAF_CHECK_EQUAL(data["servers"][0]["status"], "active");
  CAF_CHECK_EQUAL(data["servers"][0]["health"], "healthy");
  CAF_CHECK(data["unreachable"].empty());
  auto none = get(base + "/loadbalancer/stats?service=other").data();
  CAF_CHECK_EQUAL(none["totalRequests"], 0);
  CAF_CHECK(none["servers"].empty());
  check_problem(get(base + "/loadbalancer/stats?servise=x"), 422,
                "invalid_field", "servise");
  check_problem(get(base + "/loadbalancer/stats?service=%"), 400, "malformed");
}

CAF_TEST(a node that does not answer is listed) {
  names->erase_peer(peer_id);
  auto data = get(base + "/loadbalancer/stats").data();
  CAF_CHECK_EQUAL(data["totalRequests"], 10);
  CAF_CHECK_EQUAL(data["unreachable"], json::array({"node-2"}));
}

CAF_TEST(a silent node is given up after its time) {
  auto silent = sys.spawn([](caf::event_based_actor* self) -> caf::behavior {
    auto* promises = new std::vector<caf::response_promise>;
    self->attach_functor([promises] { delete promises; });
    return {[=](get_traffic) {
      promises->push_back(self->make_response_promise());
      return promises->back();
    }};
  });
  auto handle = caf::actor_cast<caf::strong_actor_ptr>(silent);
  names->put_peer(peer_id, {{"balancer", handle}});
  auto channel = send(http_verb::get, base + "/loadbalancer/stats");
  CAF_CHECK(!channel->answer);
  advance_time(500ms);
  consume_messages();
  CAF_CHECK_EQUAL(read(*channel).field("unreachable"), json::array({"node-2"}));
  stop(handle);
}

CAF_TEST(servers are added changed and removed) {
  auto added = ask(http_verb::post, servers,
                   R"({"host":"10.0.0.1","port":3000,"weight":5})");
  CAF_CHECK_EQUAL(added.status, 201);
  CAF_CHECK_EQUAL(added.headers["Location"], servers + "/server-7");
  CAF_CHECK_EQUAL(added.data()["id"], "server-7");
  CAF_CHECK_EQUAL(added.data()["weight"], 5);
  CAF_CHECK_EQUAL(added.data()["service"], "demo");
  auto resting = ask(http_verb::put, servers + "/server-7/maintenance",
                     R"({"maintenance":true})");
  CAF_CHECK_EQUAL(resting.status, 200);
  CAF_CHECK_EQUAL(resting.data()["status"], "maintenance");
  auto removed = ask(http_verb::delete_, servers + "/server-7");
  CAF_CHECK_EQUAL(removed.status, 200);
  CAF_CHECK_EQUAL(removed.data()["removed"], true);
  check_problem(ask(http_verb::delete_, servers + "/server-7"), 404,
                "not_found");
  check_problem(ask(http_verb::put, servers + "/none/maintenance",
                    R"({"maintenance":true})"),
                404, "not_found");
}

CAF_TEST(bad servers are refused and nothing changes) {
  auto before = view->version();
  auto post = [&](std::string body) {
    return ask(http_verb::post, servers, std::move(body));
  };
  check_problem(post("{"), 400, "malformed");
  check_problem(post(""), 400, "malformed");
  check_problem(post(R"({"host":"a","port":80,"host":"b"})"), 400, "malformed",
                "host");
  check_problem(post(R"({"host":"a","port":70000})"), 422, "invalid_field",
                "port");
  check_problem(post(R"({"host":"a","port":80,"weight":-1})"), 422,
                "invalid_field", "weight");
  check_problem(post(R"({"host":"a","port":80,"weight":1001})"), 422,
                "invalid_field", "weight");
  check_problem(post(R"({"host":"a b","port":80})"), 422, "invalid_field",
                "host");
  for (auto host : {"localhost:3000", "...", "999.1.1.1", "-a", "a..b"})
    check_problem(post(R"({"port":80,"host":")" + std::string{host} + R"("})"),
                  422, "invalid_field", "host");
  for (auto service : {R"(x y)", R"(x\u0000/../z)", "", "-x"})
    check_problem(post(R"({"port":80,"host":"a","service":")"
                       + std::string{service} + R"("})"),
                  422, "invalid_field", "service");
  check_problem(post(R"({"host":"a","port":80,"nope":1})"), 422,
                "invalid_field", "nope");
  check_problem(post(R"({"port":80})"), 422, "invalid_field", "host");
  check_problem(ask(http_verb::put, servers + "/server-1/maintenance",
                    R"({"maintenance":"yes"})"),
                422, "invalid_field", "maintenance");
  CAF_CHECK_EQUAL(view->version(), before);
}

CAF_TEST(an error of an actor becomes its status) {
  check_problem(
    ask(http_verb::post, servers, R"({"host":"no-quorum","port":80})"), 503,
    "no_quorum");
  names->erase("catalog");
  check_problem(ask(http_verb::post, servers, R"({"host":"a","port":80})"), 503,
                "unavailable");
}

CAF_TEST(a dead catalog that is still listed gives 503) {
  auto dead = names->local<caf::actor>("catalog");
  caf::anon_send_exit(dead, caf::exit_reason::kill);
  consume_messages();
  check_problem(ask(http_verb::post, servers, R"({"host":"a","port":80})"), 503,
                "unavailable");
}

CAF_TEST(values are cached on the node that owns the key) {
  for (auto owner : {self_id, peer_id}) {
    auto key = key_of(owner);
    auto& cache = owner == self_id ? local_cache : peer_cache;
    auto value = R"({"a":[1,2.5,"é\n"],"b":null})";
    auto stored = ask(http_verb::post, key_path(key),
                      R"({"value":)" + std::string{value} + R"(,"ttl":60})");
    CAF_CHECK_EQUAL(stored.status, 200);
    CAF_CHECK_EQUAL(cache.entries.at(key).ttl_ms, 60'000);
    auto found = get(key_path(key));
    CAF_CHECK_EQUAL(found.status, 200);
    CAF_CHECK_EQUAL(found.data()["key"], key);
    CAF_CHECK_EQUAL(found.data()["value"], json::parse(value));
    CAF_CHECK_EQUAL(found.data()["ttl"], 60);
    CAF_CHECK_EQUAL(cache.epoch, 5u);
    CAF_CHECK_EQUAL(ask(http_verb::delete_, key_path(key)).status, 200);
    check_problem(get(key_path(key)), 404, "not_found");
    check_problem(ask(http_verb::delete_, key_path(key)), 404, "not_found");
  }
}

CAF_TEST(a ttl has a default a none and bounds) {
  auto key = key_of(self_id);
  auto ttl = [&](const std::string& body) {
    CAF_CHECK_EQUAL(ask(http_verb::post, key_path(key), body).status, 200);
    return local_cache.entries.at(key).ttl_ms;
  };
  CAF_CHECK_EQUAL(ttl(R"({"value":1})"), 3'600'000);
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":0})"), 3'600'000);
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":0.25})"), 250);
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":1e-9})"), 1);
  CAF_CHECK_EQUAL(ttl(R"({"value":null,"ttl":null})"), no_ttl);
  CAF_CHECK(get(key_path(key)).field("ttl").is_null());
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":31536000})"), max_ttl_ms);
  check_problem(ask(http_verb::post, key_path(key),
                    R"({"value":[{"a":{"b":1}},{"a":1,"b":2,"a":3}]})"),
                400, "malformed", "a");
  CAF_CHECK_EQUAL(ttl(R"({"value":[{"a":1},{"a":2,"b":{"a":3}}],"ttl":1})"),
                  1000);
  for (auto bad : {"-1", "31536001", "1e12", "\"60\"", "true"})
    check_problem(ask(http_verb::post, key_path(key),
                      R"({"value":1,"ttl":)" + std::string{bad} + "}"),
                  422, "invalid_field", "ttl");
  check_problem(ask(http_verb::post, key_path(key), "{}"), 422, "invalid_field",
                "value");
}

CAF_TEST(large keys and values are refused) {
  check_problem(get(key_path(std::string(101, 'k'))), 413, "too_large", "key");
  check_problem(ask(http_verb::post, key_path("k"),
                    "{\"value\":\"" + std::string(1001, 'v') + "\"}"),
                413, "too_large", "value");
}

CAF_TEST(raw bytes are shown as text or base64) {
  auto key = key_of(self_id);
  local_cache.entries[key] = {key, "plain \"é\"", value_encoding::raw};
  CAF_CHECK_EQUAL(get(key_path(key)).field("value"), "plain \"é\"");
  local_cache.entries[key].bytes = "\xff\xfe";
  auto data = get(key_path(key)).data();
  CAF_CHECK_EQUAL(data["value"], "//4=");
  CAF_CHECK_EQUAL(data["encoding"], "base64");
  local_cache.entries[key].encoding = value_encoding::json;
  local_cache.entries[key].bytes = "\xc1";
  check_problem(get(key_path(key)), 500, "corrupt");
}

CAF_TEST(a wrong owner is asked again a bounded number of times) {
  auto key = key_of(self_id);
  local_cache.entries[key] = {key, "x", value_encoding::raw};
  local_cache.refusals = {errc::wrong_owner, errc::wrong_owner};
  CAF_CHECK_EQUAL(ask_patiently(http_verb::get, key_path(key)).status, 200);
  local_cache.refusals.assign(10, errc::wrong_owner);
  auto refused = ask_patiently(http_verb::get, key_path(key));
  check_problem(refused, 503, "unavailable");
  CAF_CHECK_NOT_EQUAL(
    refused.error()["detail"].get<std::string>().find("node-1"),
    std::string::npos);
  CAF_CHECK_EQUAL(local_cache.refusals.size(), 7u);
}

CAF_TEST(an unreachable owner is named) {
  names->erase_peer(peer_id);
  auto refused = ask_patiently(http_verb::get, key_path(key_of(peer_id)));
  check_problem(refused, 503, "unavailable");
  CAF_CHECK_NOT_EQUAL(
    refused.error()["detail"].get<std::string>().find("node-2"),
    std::string::npos);
}

CAF_TEST(a key is found where its slot moved to meanwhile) {
  auto key = key_of(peer_id);
  names->erase_peer(peer_id);
  local_cache.entries[key] = {key, "x", value_encoding::raw};
  auto channel = send(http_verb::get, key_path(key));
  CAF_CHECK(!channel->answer);
  alter([](auto& state) {
    auto table = *state.slots;
    table.owner.assign(slot_count, 0);
    ++table.epoch;
    state.slots = std::make_shared<slot_table>(table);
  });
  advance_time(100ms);
  consume_messages();
  CAF_CHECK_EQUAL(read(*channel).status, 200);
  CAF_CHECK_EQUAL(local_cache.epoch, 6u);
}

CAF_TEST(without a slot table keys have no owner) {
  alter([](auto& state) { state.slots = std::make_shared<slot_table>(); });
  check_problem(ask_patiently(http_verb::get, key_path("k")), 503,
                "unavailable");
}

CAF_TEST(the cache is summed and cleared over the nodes) {
  local_cache.entries["a"] = {"a", "x"};
  peer_cache.entries["b"] = {"b", "x"};
  auto data = get(base + "/cache/stats").data();
  CAF_CHECK_EQUAL(data["hits"], 18);
  CAF_CHECK_EQUAL(data["hitRate"], 90.0);
  CAF_CHECK_EQUAL(data["keys"], 2);
  CAF_CHECK_EQUAL(data["memory"]["percentage"], 10.0);
  auto cleared = ask(http_verb::delete_, base + "/cache/clear");
  CAF_CHECK_EQUAL(cleared.data()["cleared"], 2);
  CAF_CHECK(local_cache.entries.empty());
  CAF_CHECK(peer_cache.entries.empty());
  names->erase_peer(peer_id);
  check_problem(ask(http_verb::delete_, base + "/cache/clear"), 503,
                "unavailable");
}

CAF_TEST(events come newest first and filtered) {
  auto all = get(base + "/events").data();
  CAF_CHECK_EQUAL(all.size(), 5u);
  CAF_CHECK_EQUAL(all[0]["id"], "event-5");
  CAF_CHECK_EQUAL(all[0]["timestamp"], "1970-01-01T00:00:05.000Z");
  CAF_CHECK_EQUAL(get(base + "/events?limit=2").data().size(), 2u);
  CAF_CHECK_EQUAL(get(base + "/events?type=health").data().size(), 2u);
  CAF_CHECK_EQUAL(get(base + "/events?level=error&limit=9").data().size(), 1u);
  for (auto bad : {"0", "1001", "-1", "x", "", "1x", "99999999999999999999999"})
    check_problem(get(base + "/events?limit=" + bad), 422, "invalid_field",
                  "limit");
  check_problem(get(base + "/events?level=loud"), 422, "invalid_field",
                "level");
  check_problem(get(base + "/events?what=1"), 422, "invalid_field", "what");
}

CAF_TEST(health has a verdict for each service) {
  auto data = get(base + "/health").data();
  CAF_CHECK_EQUAL(data["status"], "healthy");
  CAF_CHECK_EQUAL(data["services"][0]["service"], "demo");
  CAF_CHECK_EQUAL(data["services"][0]["responseTime"], 2.0);
  CAF_CHECK_EQUAL(data["system"]["cpu"]["cores"], 4);
  CAF_CHECK_EQUAL(data["uptime"], 3600);
  CAF_CHECK_EQUAL(data["nodes"]["alive"], 2);
  alter([](auto& state) { state.members[peer_id].state = verdict::down; });
  CAF_CHECK_EQUAL(get(base + "/health").field("status"), "degraded");
  alter([](auto& state) {
    state.servers["server-1"].condition = health::unhealthy;
  });
  CAF_CHECK_EQUAL(get(base + "/health").field("status"), "unhealthy");
}

CAF_TEST(the dashboard has all parts) {
  auto data = get(base + "/dashboard").data();
  for (auto part :
       {"health", "cluster", "loadBalancer", "cache", "scaling", "alerts"})
    CAF_CHECK(data.contains(part));
  CAF_CHECK_EQUAL(data["loadBalancer"]["totalRequests"], 40);
}

CAF_TEST(metrics are those of this node alone) {
  auto text = get("/metrics").text;
  auto has = [&](std::string_view line) {
    return text.find(line) != std::string::npos;
  };
  CAF_CHECK(has("troupe_cluster_members{state=\"alive\"} 2"));
  CAF_CHECK(has("troupe_cache_slots_owned 8192"));
  CAF_CHECK(has("troupe_cache_hits_total 9"));
  CAF_CHECK(has("server=\"server-1\""));
  CAF_CHECK(has("# TYPE troupe_http_answers_total counter"));
}

CAF_TEST(status lists children and actors) {
  auto channel = send(http_verb::get, "/status");
  advance_time(500ms); // Some fakes don't answer get_status.
  consume_messages();
  auto data = read(*channel).data();
  CAF_CHECK_EQUAL(data["node"]["name"], "node-1");
  CAF_CHECK_EQUAL(data["children"][0]["restarts"], 2);
  CAF_CHECK_EQUAL(data["actors"]["cache_shard/0"]["keys"], "0");
  CAF_CHECK(data["actors"]["http_gateway/0"].contains("requests"));
  CAF_CHECK(data["actors"]["balancer"].is_null());
}

CAF_TEST(a killed gateway lets go of what it held) {
  local_cache.refusals.assign(1, errc::wrong_owner);
  auto channel = send(http_verb::get, key_path(key_of(self_id)));
  CAF_CHECK(!channel->answer);
  stop(caf::actor_cast<caf::strong_actor_ptr>(gateway));
  consume_messages();
  gateway = nullptr;
  advance_time(1s);
  consume_messages();
  CAF_CHECK(channel->abandoned);
}

CAF_TEST_FIXTURE_SCOPE_END()

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include "http/gateway/body_reader.hpp"
#include "http/gateway/gateway.hpp"
#include "http/gateway/percent.hpp"
#include "messages/error.hpp"
#include "messages/lease.hpp"
#include "messages/slots.hpp"

namespace troupe::test {

using namespace std::chrono_literals;
using nlohmann::json;

inline constexpr auto self_id = member_id{1};
inline constexpr auto peer_id = member_id{2};

struct gateway_system_config : caf::actor_system_config {
  gateway_system_config() { add_troupe_messages(*this); }
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

inline caf::behavior fake_shard(caf::event_based_actor*, fake_cache* cache) {
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
inline caf::behavior fake_catalog(caf::event_based_actor*, cluster_view view) {
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
    } else if (auto* dismiss = std::get_if<dismiss_node>(&what.body)) {
      auto& who = next.members.at(dismiss->node);
      who.dismissed = true;
      who.state = verdict::left;
      who.reason = dismiss->force ? "by force" : "in order";
    }
    view->set(std::move(next));
    return result;
  }};
}

inline caf::behavior fake_balancer(caf::event_based_actor*,
                                   std::uint64_t requests) {
  return {
    [=](get_traffic) {
      node_traffic result;
      result.by_server["server-1"] = {requests, 1, 2, 3, requests * 2000};
      result.own[{503, proxy_cause::no_server}] = {5, "why"};
      return result;
    },
    [=](get_traffic_of_all) {
      traffic_of_all result;
      // Of the peer, as it was a moment ago and before its restart.
      result.by_process[{peer_id, 1}].by_server["server-1"].requests = 20;
      auto& before = result.by_process[{peer_id, 0}].by_server["server-1"];
      before.requests = 7;
      before.latency_us = 7 * 2000;
      return result;
    }};
}

inline caf::behavior fake_monitor(caf::event_based_actor*) {
  return {[](get_resources) {
    resource_usage usage;
    usage.cpu_percent = 45;
    usage.cores = 4;
    usage.uptime_s = 3600;
    return usage;
  }};
}

inline caf::behavior fake_supervisor(caf::event_based_actor*) {
  return {[](list_children) {
            return children_list{{{"balancer", "running", 2, "kill"}}};
          },
          [](get_status) {
            return actor_status{"supervisor", {}};
          }};
}

/// Reads bodies at once, or on a tick.
struct fake_reading {
  std::uint32_t bodies = 0;
  bool hold = false;
  std::vector<std::pair<body_reading, caf::typed_response_promise<bool>>> held;

  void release() {
    hold = false;
    for (auto& [job, promise] : held) {
      job.read();
      promise.deliver(true);
    }
    held.clear();
  }
};

inline caf::behavior fake_body_reader(caf::event_based_actor* self,
                                      fake_reading* reading) {
  return {[=](const body_reading& job) {
            auto promise = self->make_response_promise<bool>();
            ++reading->bodies;
            reading->held.emplace_back(job, promise);
            if (!reading->hold)
              reading->release();
            return promise;
          },
          [=](tick) { reading->release(); },
          [](get_status) {
            return actor_status{"body_reader", {}};
          }};
}

using header_list = std::vector<std::pair<std::string, std::string>>;

/// A gateway of node-1 between fake actors; node-2 is a peer, and each owns
/// half of the slots.
struct gateway_fixture : test_coordinator_fixture<gateway_system_config> {
  cluster_view view = std::make_shared<published<cluster_state>>();
  directory_ptr names = std::make_shared<directory>();
  std::shared_ptr<std::atomic<bool>> draining =
    std::make_shared<std::atomic<bool>>(false);
  lease_ptr roles = std::make_shared<lease>();
  log_disk_ptr disk = std::make_shared<log_disk>();
  std::shared_ptr<published<std::string>> obstacle =
    std::make_shared<published<std::string>>();
  fake_cache local_cache;
  fake_cache peer_cache;
  fake_reading reading;
  http_gateway_actor gateway;

  gateway_fixture() {
    cluster_state state;
    state.cluster_uuid = "uuid";
    state.cluster_name = "test";
    state.leader = peer_id;
    state.term = 4;
    state.members[self_id] = member_of(self_id, "node-1");
    state.members[peer_id] = member_of(peer_id, "node-2");
    state.members[peer_id].info.incarnation = 1;
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
    roles->extend({}, lease::clock::time_point::max(), {});
    put("balancer", sys.spawn(fake_balancer, 10u));
    put("cache_shard/0", sys.spawn(fake_shard, &local_cache));
    put("catalog", sys.spawn(fake_catalog, view));
    put("resource_monitor", sys.spawn(fake_monitor));
    put("supervisor", sys.spawn(fake_supervisor));
    put("body_reader", sys.spawn(fake_body_reader, &reading));
    connect_peer();
    gateway_config settings;
    settings.self = view->get()->members.at(self_id).info;
    settings.default_service = "demo";
    settings.routed_services = {"demo"};
    settings.started_at = unix_now() - 5000;
    settings.max_value_bytes = 1000;
    settings.max_key_bytes = 100;
    settings.allowed_hosts = {"api.example.org"};
    gateway = spawn_http_gateway(sys, settings,
                                 {view, names, [] { return http_totals{}; },
                                  draining, roles, disk, obstacle},
                                 0);
    put("http_gateway/0", caf::actor_cast<caf::actor>(gateway));
    consume_messages();
  }

  ~gateway_fixture() override {
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

  /// Has the bodies read that wait for it.
  void release_bodies() {
    caf::anon_send(names->local<caf::actor>("body_reader"), tick{});
    consume_messages();
  }

  template <class Change>
  void alter(Change change) {
    auto next = *view->get();
    change(next);
    view->set(std::move(next));
  }

  static http_request request_of(http_verb method, std::string_view target,
                                 std::string body, const header_list& headers) {
    http_request request;
    request.method = method;
    request.set_target(target);
    request.request_id = "r-1";
    request.body = std::move(body);
    for (auto& [name, value] : headers)
      request.add_header(name, value);
    return request;
  }

  /// A body is JSON unless `headers` say otherwise.
  caf::intrusive_ptr<recorder> send(http_verb method, std::string_view target,
                                    std::string body = {},
                                    header_list headers = {}) {
    if (!body.empty() && headers.empty())
      headers.emplace_back("Content-Type", "application/json");
    return send(request_of(method, target, std::move(body), headers));
  }

  caf::intrusive_ptr<recorder> send(http_request request) {
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

inline const std::string base = "/api/infrastructure";
inline const std::string servers = base + "/loadbalancer/servers";

inline std::string key_path(std::string_view key) {
  return base + "/cache/keys/" + percent_encode(key);
}

/// A key whose slot belongs to this node or to the peer.
inline std::string key_of(member_id owner) {
  for (int i = 0;; ++i) {
    auto key = "key:" + std::to_string(i);
    if ((slot_of(key) < slot_count / 2) == (owner == self_id))
      return key;
  }
}

} // namespace troupe::test

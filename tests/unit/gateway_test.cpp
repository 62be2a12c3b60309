#define CAF_SUITE gateway

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

CAF_TEST_FIXTURE_SCOPE(gateway_tests, gateway_fixture)

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
  obstacle->set("there is no quorum: start node-3");
  auto without_quorum = get("/ready");
  CAF_CHECK_EQUAL(without_quorum.error()["detail"],
                  "there is no quorum: start node-3; no leader is known");
  obstacle->set("");
  alter([](auto& state) {
    state.leader = peer_id;
    state.members[self_id].state = verdict::suspect;
  });
  CAF_CHECK_EQUAL(get("/ready").status, 503);
  alter([](auto& state) { state.members[self_id].state = verdict::alive; });
  roles->end();
  auto without_lease = get("/ready");
  check_problem(without_lease, 503, "unavailable");
  CAF_CHECK_EQUAL(without_lease.error()["detail"],
                  "the node has no lease from the leader");
  *draining = true;
  check_problem(get("/ready"), 503, "shutting_down");
  CAF_CHECK_EQUAL(get("/health").status, 200);
}

CAF_TEST(a node that routes otherwise than the others says so when ready) {
  CAF_CHECK(!get("/ready").data().contains("notes"));
  alter([](auto& state) {
    state.members[self_id].info.routes_digest = 1;
    state.members[peer_id].info.routes_digest = 2;
  });
  auto notes = get("/ready").data()["notes"];
  CAF_REQUIRE_EQUAL(notes.size(), 1u);
  CAF_CHECK_EQUAL(notes[0],
                  "node-1 has other settings of proxy.routes or "
                  "proxy.defaultService than node-2: the same request may get "
                  "another answer there");
  alter([](auto& state) { state.members[peer_id].state = verdict::left; });
  CAF_CHECK(!get("/ready").data().contains("notes"));
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
  // 40 of the nodes, 7 before one of them restarted, 10 that no server got.
  CAF_CHECK_EQUAL(data["totalRequests"], 57);
  CAF_CHECK_EQUAL(data["activeConnections"], 6);
  CAF_CHECK_EQUAL(data["totalConnections"], 4);
  // Of those that a server got.
  CAF_CHECK_EQUAL(data["averageResponseTime"], 2.0);
  CAF_CHECK_EQUAL(data["errorRate"], 12.0 / 57);
  CAF_CHECK_EQUAL(data["ownAnswers"], json::array({{{"status", 503},
                                                    {"cause", "no_server"},
                                                    {"count", 10},
                                                    {"lastDetail", "why"}}}));
  CAF_CHECK_EQUAL(data["algorithm"], "round-robin");
  CAF_CHECK_EQUAL(data["servers"][0]["status"], "active");
  CAF_CHECK_EQUAL(data["servers"][0]["health"], "healthy");
  CAF_CHECK(data["unreachable"].empty());
  auto none = get(base + "/loadbalancer/stats?service=other").data();
  CAF_CHECK_EQUAL(none["totalRequests"], 0);
  CAF_CHECK(none["servers"].empty());
  check_problem(get(base + "/loadbalancer/stats?servise=x"), 400, "malformed",
                "servise");
  check_problem(get(base + "/loadbalancer/stats?service=%"), 400, "malformed");
}

CAF_TEST(a node that does not answer is listed and takes no totals with it) {
  names->erase_peer(peer_id);
  auto data = get(base + "/loadbalancer/stats").data();
  // 10 of this node and 5 that no server got, 20 and 7 as last heard.
  CAF_CHECK_EQUAL(data["totalRequests"], 42);
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

CAF_TEST(a query that cannot be read is refused by every route) {
  for (auto path : {"/api/infrastructure/cluster", "/api/infrastructure/events",
                    "/api/infrastructure/cache/keys/k", "/health"})
    for (auto query : {"?consistent=true&x=100%", "?a=1&a=2", "?%g1=1"})
      check_problem(get(std::string{path} + query), 400, "malformed");
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
  check_problem(get(base + "/events?what=1"), 400, "malformed", "what");
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

CAF_TEST(a service whose requests all get 503 is not healthy) {
  auto health = [&] { return get(base + "/health").data(); };
  alter([](auto& state) { state.servers["server-1"].weight = 0; });
  auto weightless = health();
  CAF_CHECK_EQUAL(weightless["status"], "unhealthy");
  CAF_CHECK_EQUAL(weightless["reasons"],
                  json::array({"service 'demo' has no server for traffic: 1 of "
                               "weight 0"}));
  CAF_CHECK_EQUAL(weightless["services"][0]["reason"],
                  weightless["reasons"][0]);
  alter([](auto& state) {
    auto other = state.servers["server-1"];
    other.service = "other";
    other.weight = 1;
    state.servers["server-1"] = other;
  });
  auto without = health();
  CAF_CHECK_EQUAL(without["status"], "degraded");
  CAF_CHECK_EQUAL(without["reasons"],
                  json::array({"service 'demo' has no servers"}));
  alter([](auto& state) { state.servers.clear(); });
  auto empty = health();
  CAF_CHECK_EQUAL(empty["status"], "degraded");
  CAF_CHECK_EQUAL(empty["services"][0]["status"], "unhealthy");
}

CAF_TEST(maintenance tells the connections that all nodes still have) {
  auto resting = ask(http_verb::put, servers + "/server-1/maintenance",
                     R"({"maintenance":true})");
  CAF_CHECK_EQUAL(resting.status, 200);
  CAF_CHECK_EQUAL(resting.data()["connections"], 6);
}

CAF_TEST(the dashboard has all parts) {
  auto data = get(base + "/dashboard").data();
  for (auto part :
       {"health", "cluster", "loadBalancer", "cache", "scaling", "alerts"})
    CAF_CHECK(data.contains(part));
  CAF_CHECK_EQUAL(data["loadBalancer"]["totalRequests"], 57);
}

CAF_TEST(a disk in trouble shows in readiness and metrics) {
  disk->set_trouble("nothing can be written: the disk is full");
  disk->set_waiting_since(log_disk::clock::now() - 90s);
  disk->wrote(700us);
  disk->wrote(1ms);
  disk->wrote(60s);
  auto answer = get("/ready");
  check_problem(answer, 503, "unavailable");
  CAF_CHECK_EQUAL(answer.error()["detail"],
                  "nothing can be written: the disk is full");
  auto text = get("/metrics").text;
  auto has = [&](std::string_view line) {
    return text.find(line) != std::string::npos;
  };
  CAF_CHECK(has("troupe_raft_log_writable 0"));
  CAF_CHECK(has("troupe_raft_log_waiting_seconds 9"));
  CAF_CHECK(has("troupe_raft_log_write_seconds_bucket{le=\"0.0005\"} 0\n"));
  CAF_CHECK(has("troupe_raft_log_write_seconds_bucket{le=\"0.001\"} 2\n"));
  CAF_CHECK(has("troupe_raft_log_write_seconds_bucket{le=\"10\"} 2\n"));
  CAF_CHECK(has("troupe_raft_log_write_seconds_bucket{le=\"+Inf\"} 3\n"));
  CAF_CHECK(has("troupe_raft_log_write_seconds_count 3\n"));
  disk->set_trouble({});
  CAF_CHECK_EQUAL(get("/ready").status, 200);
  CAF_CHECK(get("/metrics").text.find("troupe_raft_log_writable 1")
            != std::string::npos);
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
  CAF_CHECK(has("troupe_proxy_own_answers_total{status=\"503\",cause="
                "\"no_server\"} 5"));
  CAF_CHECK(has("# TYPE troupe_proxy_connections gauge"));
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

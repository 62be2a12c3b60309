#define CAF_SUITE routing

#include "actors/balancer/routing.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

server make_server(std::string id, std::string service) {
  server result;
  result.id = std::move(id);
  result.service = std::move(service);
  result.host = "10.0.0.1";
  result.port = 80;
  return result;
}

cluster_state state_with(std::vector<server> servers) {
  cluster_state state;
  for (auto& one : servers)
    state.servers.emplace(one.id, one);
  return state;
}

struct fixture {
  routing_table table = build_routing(cluster_state{},
                                      {{"", "/", "root"},
                                       {"", "/api", "api"},
                                       {"", "/api/v2/", "api-v2"},
                                       {"shop.test", "/", "shop"},
                                       {"shop.test", "/api", "shop-api"}},
                                      "fallback", nullptr);
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(matching, fixture)

CAF_TEST(the longest prefix wins) {
  CAF_CHECK_EQUAL(table.match("x", "/"), "root");
  CAF_CHECK_EQUAL(table.match("x", "/api"), "api");
  CAF_CHECK_EQUAL(table.match("x", "/api/v1"), "api");
  CAF_CHECK_EQUAL(table.match("x", "/api/v2/users"), "api-v2");
}

CAF_TEST(prefixes end at segments) {
  CAF_CHECK_EQUAL(table.match("x", "/apis"), "root");
  CAF_CHECK_EQUAL(table.match("x", "/api?x=1"), "api");
  CAF_CHECK_EQUAL(table.match("x", "/api/v2"), "api");
}

CAF_TEST(a host goes before any path) {
  CAF_CHECK_EQUAL(table.match("shop.test", "/api/v2/x"), "shop-api");
  CAF_CHECK_EQUAL(table.match("SHOP.test:8080", "/cart"), "shop");
  CAF_CHECK_EQUAL(table.match("myshop.test", "/cart"), "root");
}

CAF_TEST(no rule leads to the default) {
  auto bare = build_routing(cluster_state{}, {{"a", "/x", "s"}}, "", nullptr);
  CAF_CHECK_EQUAL(bare.match("a", "/y"), "");
  bare.default_service = "d";
  CAF_CHECK_EQUAL(bare.match("a", "/y"), "d");
  CAF_CHECK_EQUAL(bare.match("[::1]:80", "/x"), "d");
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(an IPv6 host matches without its port) {
  auto table = build_routing(cluster_state{}, {{"[::1]", "/", "six"}}, "", {});
  CAF_CHECK_EQUAL(table.match("[::1]:8080", "/"), "six");
}

CAF_TEST(servers out of traffic say why) {
  auto broken = make_server("server-1", "s");
  broken.condition = health::unhealthy;
  broken.condition_reason = "status 500";
  auto resting = make_server("server-2", "s");
  resting.maintenance = true;
  auto weightless = make_server("server-3", "s");
  weightless.weight = 0;
  auto table =
    build_routing(state_with({broken, resting, weightless}), {}, "", {});
  auto& pool = table.pools.at("s");
  CAF_CHECK(pool.schedule.empty());
  CAF_CHECK_EQUAL(pool.unavailable_reason,
                  "service 's' has no server for traffic: 1 in maintenance, "
                  "1 unhealthy (status 500), 1 of weight 0");
}

CAF_TEST(an unknown server gets traffic) {
  auto table =
    build_routing(state_with({make_server("server-1", "s")}), {}, "", {});
  auto& pool = table.pools.at("s");
  CAF_CHECK_EQUAL(pool.schedule.size(), 1u);
  CAF_CHECK(pool.unavailable_reason.empty());
}

CAF_TEST(a routed service without servers is a pool that says so) {
  auto table = build_routing(cluster_state{}, {{"", "/", "s"}}, "d", nullptr);
  CAF_CHECK_EQUAL(table.pools.at("s").unavailable_reason,
                  "service 's' has no servers");
  CAF_CHECK_EQUAL(table.pools.count("d"), 1u);
}

CAF_TEST(cursors outlive the table) {
  auto state = state_with({make_server("server-1", "s")});
  auto first = build_routing(state, {}, "", nullptr);
  first.pools.at("s").cursor->store(41);
  state.servers.emplace("server-2", make_server("server-2", "s"));
  auto second = build_routing(state, {}, "", &first);
  CAF_CHECK_EQUAL(second.pools.at("s").cursor->load(), 41u);
}

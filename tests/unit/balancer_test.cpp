#define CAF_SUITE balancer

#include "actors/balancer/balancer.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

struct fixture : test_coordinator_fixture<config> {
  cluster_view view = std::make_shared<published<cluster_state>>();
  routing_view routing = std::make_shared<published<routing_table>>();
  balancer_actor aut = spawn_balancer(sys, {{}, "demo"}, view, routing);

  fixture() { consume_messages(); }

  ~fixture() override { caf::anon_send_exit(aut, caf::exit_reason::kill); }

  void elapse(caf::timespan span) {
    advance_time(span);
    consume_messages();
  }

  void add_server(std::string id) {
    auto next = *view->get();
    server one;
    one.id = id;
    one.service = "demo";
    next.servers[id] = one;
    view->set(std::move(next));
  }

  template <class Request>
  auto ask(Request request) {
    auto pending = self->request(aut, caf::infinite, request);
    consume_messages();
    return pending;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(balancer_tests, fixture)

CAF_TEST(the first table is there before any time has passed) {
  CAF_CHECK(routing->get()->pools.at("demo").unavailable_reason
            == "service 'demo' has no servers");
}

CAF_TEST(a new server is in the table after one interval) {
  add_server("server-1");
  CAF_CHECK(routing->get()->pools.at("demo").schedule.empty());
  elapse(50ms);
  CAF_CHECK_EQUAL(routing->get()->pools.at("demo").schedule.size(), 1u);
}

CAF_TEST(an unchanged state publishes nothing) {
  auto version = routing->version();
  for (int i = 0; i < 10; ++i)
    elapse(50ms);
  CAF_CHECK_EQUAL(routing->version(), version);
}

CAF_TEST(reports are totals and are summed over io threads) {
  traffic_counters counters;
  counters.requests = 10;
  counters.failures = 1;
  caf::anon_send(aut, traffic_report{0, {{"server-1", counters}}});
  counters.requests = 15;
  caf::anon_send(aut, traffic_report{0, {{"server-1", counters}}});
  counters.requests = 100;
  caf::anon_send(aut, traffic_report{1, {{"server-1", counters}}});
  consume_messages();
  ask(get_traffic{})
    .receive(
      [](const node_traffic& traffic) {
        CAF_CHECK_EQUAL(traffic.by_server.at("server-1").requests, 115u);
        CAF_CHECK_EQUAL(traffic.by_server.at("server-1").failures, 2u);
      },
      [](const caf::error&) { CAF_FAIL("no answer"); });
}

CAF_TEST(a route without service is refused) {
  balancer_config bad;
  bad.routes.push_back({"", "/", ""});
  CAF_CHECK(bad.validate());
  bad.routes = {{"", "api", "s"}};
  CAF_CHECK(bad.validate());
  bad.routes = {{"", "/api", "s"}};
  CAF_CHECK(!bad.validate());
}

CAF_TEST_FIXTURE_SCOPE_END()

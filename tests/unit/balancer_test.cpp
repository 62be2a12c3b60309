#define CAF_SUITE balancer

#include "actors/balancer/balancer.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

balancer_config config_of_node(std::uint64_t id) {
  balancer_config result;
  result.self = {member_id{id}, 1};
  result.default_service = "demo";
  return result;
}

struct fixture : test_coordinator_fixture<config> {
  cluster_view view = std::make_shared<published<cluster_state>>();
  routing_view routing = std::make_shared<published<routing_table>>();
  directory_ptr names = std::make_shared<directory>();
  balancer_actor aut =
    spawn_balancer(sys, config_of_node(1), view, routing, names);

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

CAF_TEST(the others hear of traffic and a new one of all there ever was) {
  std::vector<traffic_news> heard;
  auto other = sys.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](traffic_news& news) { heard.push_back(std::move(news)); }};
  });
  auto requests_of = [](const node_traffic& traffic) {
    return traffic.by_server.at("server-1").requests;
  };
  traffic_report report;
  report.by_server["server-1"].requests = 3;
  caf::anon_send(aut, traffic_news{{member_id{7}, 4}, {report.by_server}});
  consume_messages();
  auto handle = caf::actor_cast<caf::strong_actor_ptr>(other);
  names->put_peer(member_id{2}, {{"balancer", handle}});
  report.by_server["server-1"].requests = 10;
  caf::anon_send(aut, report);
  consume_messages();
  elapse(1s);
  CAF_REQUIRE_EQUAL(heard.size(), 2u);
  CAF_CHECK(heard[0].who == (process_id{member_id{1}, 1}));
  CAF_CHECK_EQUAL(requests_of(heard[0].totals), 10u);
  CAF_CHECK(heard[1].who == (process_id{member_id{7}, 4}));
  CAF_CHECK_EQUAL(requests_of(heard[1].totals), 3u);
  // From now on only what changes, and only where it changes.
  report.by_server["server-1"].requests = 12;
  caf::anon_send(aut, report);
  consume_messages();
  for (int i = 0; i < 5; ++i)
    elapse(1s);
  CAF_REQUIRE_EQUAL(heard.size(), 3u);
  CAF_CHECK_EQUAL(requests_of(heard[2].totals), 12u);
  ask(get_traffic_of_all{})
    .receive(
      [](const traffic_of_all& all) {
        CAF_CHECK_EQUAL(all.by_process.size(), 2u);
      },
      [](const caf::error&) { CAF_FAIL("no answer"); });
  names->erase_peer(member_id{2});
  self->send_exit(other, caf::exit_reason::kill);
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

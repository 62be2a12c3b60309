#define CAF_SUITE proxy_flood

#include <caf/test/dsl.hpp>

#include "proxy_fixture.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

struct fixture : reporting_fixture {
  scripted_server backend{scripted_server::answering("ok")};

  std::size_t connections() {
    std::size_t result = 0;
    on_thread([&] { result = front->connections(); });
    return result;
  }

  std::uint64_t own(own_answer kind) {
    std::lock_guard guard{mutex};
    return last.own[kind].count;
  }

  template <class Condition>
  static bool eventually(Condition holds) {
    for (int tries = 0; tries < 500 && !holds(); ++tries)
      std::this_thread::sleep_for(10ms);
    return holds();
  }

  bool serves() const { return status_of(get()) == 200; }
};

constexpr own_answer told{503, proxy_cause::too_many_connections};
constexpr own_answer cut{0, proxy_cause::too_many_connections};

} // namespace

CAF_TEST_FIXTURE_SCOPE(flood_tests, fixture)

CAF_TEST(a flood of refused clients holds few connections and is counted) {
  config.max_connections = 1;
  start({backend.port()});
  auto admitted = connect();
  admitted.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(admitted.read_head()), 200);
  std::vector<peer> flood;
  for (int i = 0; i < 200; ++i)
    flood.push_back(connect());
  CAF_CHECK(eventually([&] { return own(told) + own(cut) == 200; }));
  CAF_CHECK_EQUAL(own(told), 64u);
  CAF_CHECK_EQUAL(own(cut), 136u);
  // They get their answer in the first place.
  CAF_CHECK_EQUAL(status_of(flood.front().read_head()), 503);
  CAF_CHECK_LESS(connections(), 66u);
}

CAF_TEST(clients that linger after a refusal take no place) {
  config.max_connections = 1;
  start({backend.port()});
  auto admitted = connect();
  admitted.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(admitted.read_head()), 200);
  auto refused = connect();
  CAF_CHECK_EQUAL(status_of(refused.read_head()), 503);
  admitted.close();
  CAF_CHECK(eventually([&] { return config.open_connections->load() == 0; }));
  CAF_CHECK(serves());
}

CAF_TEST(without descriptors in the budget clients are closed and counted) {
  config.descriptors = std::make_shared<descriptor_budget>(3);
  config.keep_alive_timeout = 10s;
  start({backend.port()});
  std::vector<peer> clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(connect());
  CAF_CHECK(eventually([&] { return config.descriptors->in_use() == 3; }));
  CAF_CHECK(connect().at_end());
  CAF_CHECK(eventually([&] {
    return own({0, proxy_cause::no_resources}) == 1;
  }));
  // Nor is there one for a connection to a server.
  clients[0].send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(clients[0].read_head()), 503);
  CAF_CHECK_EQUAL(backend.accepted(), 0);
  clients[1].close();
  CAF_CHECK(eventually([&] { return config.descriptors->in_use() == 2; }));
  clients[2].send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(clients[2].read_head()), 200);
}

CAF_TEST(an idle connection to a server makes room for another server) {
  scripted_server other{scripted_server::answering("ok")};
  config.descriptors = std::make_shared<descriptor_budget>(4);
  config.upstream_idle_timeout = 10s;
  start({backend.port(), other.port()});
  auto first = connect();
  auto ask = [](peer& client) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    auto status = status_of(client.read_head());
    client.read(2);
    return status;
  };
  // One of the server's connections stays idle, the clients take the rest.
  CAF_CHECK_EQUAL(ask(first), 200);
  auto second = connect();
  auto third = connect();
  CAF_CHECK(eventually([&] { return config.descriptors->in_use() == 4; }));
  CAF_CHECK_EQUAL(ask(second), 200);
  CAF_CHECK_EQUAL(other.accepted(), 1);
  CAF_CHECK_EQUAL(ask(third), 200);
}

CAF_TEST(every descriptor comes back to the budget) {
  config.descriptors = std::make_shared<descriptor_budget>(100);
  config.upstream_idle_timeout = 100ms;
  start({backend.port()});
  for (int i = 0; i < 20; ++i)
    CAF_CHECK(serves());
  ask("nonsense\r\n\r\n");
  connect().reset();
  CAF_CHECK(eventually([&] { return config.descriptors->in_use() == 0; }));
}

CAF_TEST(answers that the proxy gives itself are counted by status and reason) {
  start({backend.port()});
  state.servers.at("server-1").maintenance = true;
  publish();
  for (int i = 0; i < 50; ++i)
    CAF_CHECK_EQUAL(status_of(get()), 503);
  ask("GET / HTTP/1.1\r\nBad\r\n\r\n");
  routing->set(routing_table{});
  CAF_CHECK_EQUAL(status_of(get()), 404);
  CAF_CHECK(eventually([&] { return own({404, proxy_cause::no_route}) == 1; }));
  CAF_CHECK_EQUAL(own({503, proxy_cause::no_server}), 50u);
  CAF_CHECK_EQUAL(own({400, proxy_cause::bad_request}), 1u);
  std::lock_guard guard{mutex};
  CAF_CHECK_EQUAL((last.own[{503, proxy_cause::no_server}].last_detail),
                  "all in maintenance");
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE proxy_traffic

#include <caf/test/dsl.hpp>

#include "proxy_fixture.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(traffic_tests, reporting_fixture)

CAF_TEST(what a server did still counts when it is gone) {
  scripted_server first{scripted_server::answering("first")};
  scripted_server second{scripted_server::answering("second")};
  start({first.port()});
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(body_of(get()), "first");
  CAF_CHECK_EQUAL(counters_of("server-1").requests, 3u);
  // Out of traffic is not gone.
  state.servers.at("server-1").maintenance = true;
  state.servers["server-2"] = {"server-2", "demo", "127.0.0.1", second.port()};
  publish();
  CAF_CHECK_EQUAL(body_of(get()), "second");
  CAF_CHECK_EQUAL(counters_of("server-2").requests, 1u);
  CAF_CHECK_EQUAL(counters_of("server-1").requests, 3u);
  state.servers.erase("server-1");
  publish();
  CAF_CHECK_EQUAL(body_of(get()), "second");
  CAF_CHECK_EQUAL(counters_of(gone_servers).requests, 3u);
  std::lock_guard guard{mutex};
  CAF_CHECK_EQUAL(last.by_server.count("server-1"), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE demo_backend

#include "node/demo_backend.hpp"

#include <csignal>
#include <thread>

#include <caf/test/dsl.hpp>

#include "tests/support/open_port.hpp"
#include "tests/unit/http_raw_client.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// A backend on a port that was free a moment ago. Ends by the signal by which
/// it always ends.
struct fixture {
  std::uint16_t port = open_port(1).local().port;
  std::thread backend{[this] {
    run_demo_backend({"127.0.0.1", port}, "server-1");
  }};

  fixture() {
    for (int i = 0; i < 500 && !raw_client{port}.connected(); ++i)
      std::this_thread::sleep_for(10ms);
  }

  ~fixture() {
    ::kill(::getpid(), SIGTERM);
    backend.join();
  }

  static std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(demo_backend_tests, fixture)

CAF_TEST(a status that has no body is answered without one) {
  raw_client client{port};
  for (auto target : {"/?status=204", "/?status=304", "/?bytes=5&status=204"}) {
    auto answer = client.ask(get(target));
    CAF_CHECK_EQUAL(answer.status, target[9] == '3' ? 304 : 204);
    CAF_CHECK(!answer.has("Content-Length"));
    CAF_CHECK(!answer.has("Content-Type"));
  }
  CAF_CHECK_EQUAL(client.ask(get("/?bytes=5")).body, "xxxxx");
  auto failed = client.ask(get("/?status=503"));
  CAF_CHECK_EQUAL(failed.status, 503);
  CAF_CHECK(!failed.body.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()

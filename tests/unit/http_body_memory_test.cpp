#define CAF_SUITE http_body_memory

#include <list>

#include "tests/unit/http_server_fixture.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct fixture : test::http_server_fixture {
  std::list<raw_client> clients;

  /// Sends a POST that announces a megabyte and then only `sent` bytes of it.
  void announce(std::size_t sent) {
    auto& client = clients.emplace_back(port);
    client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
                + std::string(sent, 'b'));
  }

  /// What the server holds when nothing more changes.
  std::uint64_t settled_body_bytes() const {
    auto last = group->totals().body_bytes;
    for (int quiet = 0; quiet < 10; ++quiet) {
      std::this_thread::sleep_for(20ms);
      auto now = group->totals().body_bytes;
      if (now != last)
        quiet = 0;
      last = now;
    }
    return last;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(http_body_memory_tests, fixture)

CAF_TEST(a body that is only announced costs nothing) {
  start();
  for (int i = 0; i < 50; ++i)
    announce(0);
  CAF_CHECK_EQUAL(settled_body_bytes(), 0u);
  for (int i = 0; i < 50; ++i)
    announce(100);
  CAF_CHECK_LESS(settled_body_bytes(), 50u * 256);
}

CAF_TEST(what a body costs is counted with the buffers that read it) {
  start();
  announce(300'000);
  auto held = settled_body_bytes();
  CAF_CHECK_GREATER(held, 300'000u + (60u << 10));
  CAF_CHECK_LESS(held, 700'000u);
  clients.clear();
  CAF_CHECK_EQUAL(settled_body_bytes(), 0u);
}

CAF_TEST(bodies are read in small pieces when the budget is spent) {
  config.max_body_bytes_in_flight = 40'000;
  start();
  raw_client client{port};
  auto body = std::string(30'000, 'b');
  auto answer = client.ask(
    "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n" + body);
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK_EQUAL(answer.body, "/b|" + body);
}

CAF_TEST_FIXTURE_SCOPE_END()

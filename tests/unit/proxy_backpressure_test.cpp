#define CAF_SUITE proxy_backpressure

// One side that is slow, or answers before the other has finished.

#include <caf/test/dsl.hpp>

#include "proxy_fixture.hpp"
#include "small_buffers.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// The proxy reads it at once.
constexpr std::size_t short_answer = 7'900;
constexpr std::size_t long_answer = 60'000;
constexpr std::string_view chunked_post =
  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n";

/// Answers as soon as the header is there, with more than the kernel's smallest
/// buffers take.
scripted_server::script answer_early(std::size_t bytes) {
  return [bytes](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes)
                + "\r\n\r\n" + std::string(bytes, 'y'));
    client.read_all();
  };
}

struct fixture : reporting_fixture {
  void start_with_small_buffers(std::vector<std::uint16_t> servers) {
    start(std::move(servers));
    shrink_send_buffers(port);
  }

  peer slow_client() const { return peer::to(port, 1); }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(backpressure_tests, fixture)

CAF_TEST(a body that goes on after the whole answer is not forwarded) {
  scripted_server backend{answer_early(short_answer)};
  config.body_idle_timeout = 2s;
  start_with_small_buffers({backend.port()});
  auto client = slow_client();
  client.send(chunked_post);
  std::this_thread::sleep_for(50ms);
  // The answer's last bytes wait for the client, whose body goes on.
  client.send("1\r\nb\r\n");
  std::this_thread::sleep_for(50ms);
  client.send("0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto answer = client.read_all();
  CAF_CHECK_EQUAL(status_of(answer), 200);
  CAF_CHECK_EQUAL(body_of(answer).size(), short_answer);
  CAF_CHECK(contains(answer, "Connection: close"));
  CAF_CHECK_EQUAL(status_of(get()), 200);
}

CAF_TEST(an early refusal reaches a client that still sends) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  }};
  start({backend.port()});
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n");
  for (int i = 0; i < 20; ++i)
    client.send(std::string(10'000, 'a'));
  auto answer = client.read_all();
  CAF_CHECK_EQUAL(status_of(answer), 413);
  CAF_CHECK_EQUAL(body_of(answer), "no");
}

CAF_TEST(an answer of our own follows interim ones that wait) {
  // More of them than the client's buffers take, then silence.
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    for (int i = 0; i < 300; ++i)
      client.send("HTTP/1.1 103 Early Hints\r\nLink: " + std::string(200, 'l')
                  + "\r\n\r\n");
    client.read_all();
  }};
  start_with_small_buffers({backend.port()});
  auto client = slow_client();
  client.send(
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::this_thread::sleep_for(50ms);
  client.send("not a chunk\r\n");
  std::this_thread::sleep_for(50ms);
  auto answer = client.read_all();
  auto last = answer.rfind("HTTP/1.1 400");
  CAF_REQUIRE(last != std::string::npos);
  auto interim = std::string_view{answer}.substr(0, last);
  CAF_CHECK(interim.starts_with("HTTP/1.1 103 Early Hints\r\n"));
  CAF_CHECK(interim.ends_with("l\r\n\r\n"));
}

CAF_TEST(a slow client is no failure of its server) {
  scripted_server backend{answer_early(long_answer)};
  start_with_small_buffers({backend.port()});
  auto client = slow_client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(600ms);
  auto answer = client.read_all();
  CAF_CHECK(answer.size() < long_answer);
  auto counters = counters_of("server-1");
  CAF_CHECK_EQUAL(counters.requests, 1u);
  CAF_CHECK_EQUAL(counters.failures, 0u);
  CAF_CHECK_EQUAL(counters.active, 0);
}

CAF_TEST(a server that stops reading an upload is 504) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    std::this_thread::sleep_for(1s);
  }};
  start({backend.port()});
  auto client = connect();
  std::thread sender{[&] {
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n"
                "\r\n");
    std::string part(1 << 20, 'a');
    for (int i = 0; i < 32 && client.send(part); ++i)
      ;
  }};
  auto answer = client.read_all();
  sender.join();
  CAF_CHECK_EQUAL(status_of(answer), 504);
  CAF_CHECK_EQUAL(counters_of("server-1").failures, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

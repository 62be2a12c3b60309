#define CAF_SUITE http_slow_reader

#include <list>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "tests/unit/http_server_fixture.hpp"
#include "tests/unit/small_buffers.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t answer_bytes = 2 << 20;
constexpr std::size_t budget = 10 * answer_bytes;

const auto large = "/bytes/" + std::to_string(answer_bytes);

/// What the kernel holds unsent of this process' connections on `port`.
std::uint64_t unsent_in_kernel(std::uint16_t port) {
  std::uint64_t result = 0;
  for (int handle = 0; handle < 1024; ++handle) {
    sockaddr_in where{};
    socklen_t size = sizeof(where);
    int unsent = 0;
    if (::getsockname(handle, reinterpret_cast<sockaddr*>(&where), &size) == 0
        && ntohs(where.sin_port) == port
        && ::ioctl(handle, SIOCOUTQNSD, &unsent) == 0)
      result += static_cast<std::uint64_t>(unsent);
  }
  return result;
}

struct fixture : test::http_server_fixture {
  std::list<raw_client> readers;

  fixture() {
    config.max_answer_bytes_in_flight = budget;
    config.sweep_interval = 10ms;
  }

  /// Asks for large answers and reads their heads only. Returns how many were
  /// given.
  int ask_without_reading(int count) {
    auto first = readers.size();
    for (int i = 0; i < count; ++i)
      readers.emplace_back(port, 4096).send(get(large) + get(large));
    auto given = 0;
    for (auto i = std::next(readers.begin(), static_cast<long>(first));
         i != readers.end(); ++i)
      given += i->read_head().status == 200 ? 1 : 0;
    return given;
  }

  /// Waits until nothing is held, for seconds at most.
  bool nothing_is_held() const {
    for (int i = 0; i < 500 && group->totals().answer_bytes > 0; ++i)
      std::this_thread::sleep_for(10ms);
    return group->totals().answer_bytes == 0;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(http_slow_reader_tests, fixture)

CAF_TEST(answers that nobody reads have a budget) {
  config.slow_reader_grace = 60s;
  start();
  auto given = ask_without_reading(40);
  CAF_CHECK_GREATER(given, 0);
  CAF_CHECK_LESS(given, 11);
  auto held = group->totals().answer_bytes;
  CAF_CHECK_GREATER(held, static_cast<std::uint64_t>(given) * answer_bytes);
  CAF_CHECK_LESS(held, budget + 40 * 4096);
}

CAF_TEST(who only wants a little is served when the budget is spent) {
  config.slow_reader_grace = 60s;
  start();
  ask_without_reading(20);
  raw_client other{port};
  CAF_CHECK_EQUAL(other.ask(get("/small")).body, "/small|");
  auto refused = other.ask(get(large));
  CAF_CHECK_EQUAL(refused.status, 503);
  CAF_CHECK(refused.has("Retry-After: 1\r\n"));
  CAF_CHECK_NOT_EQUAL(refused.body.find("\"overloaded\""), std::string::npos);
  // What was done must not be answered as if it were not.
  CAF_CHECK_EQUAL(
    other.ask("POST " + large + " HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
}

CAF_TEST(who reads slowly makes room for others) {
  config.slow_reader_grace = 50ms;
  start();
  auto given = ask_without_reading(20);
  std::this_thread::sleep_for(1500ms); // The kernel's part counts as read.
  raw_client other{port};
  CAF_CHECK_EQUAL(other.ask(get(large)).body.size(), answer_bytes);
  CAF_CHECK_EQUAL(group->totals().slow_readers,
                  static_cast<std::uint64_t>(given));
  CAF_CHECK(nothing_is_held());
}

CAF_TEST(an answer larger than the budget is given to one client) {
  config.max_answer_bytes_in_flight = answer_bytes / 2;
  start();
  raw_client client{port};
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(client.ask(get(large)).body.size(), answer_bytes);
  CAF_CHECK(nothing_is_held());
}

CAF_TEST(a client that reads a byte now and then is not waited for) {
  config.write_timeout = 300ms;
  config.min_read_rate = 100 << 20;
  start();
  test::shrink_send_buffers(port);
  raw_client trickling{port, 4096};
  trickling.send(get(large));
  auto begin = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(trickling.read_head().status, 200);
  for (int i = 0; i < 300 && group->totals().slow_readers == 0; ++i) {
    trickling.read_some(2048);
    std::this_thread::sleep_for(20ms);
  }
  CAF_CHECK_EQUAL(group->totals().slow_readers, 1u);
  CAF_CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
  CAF_CHECK(nothing_is_held());
}

CAF_TEST(the kernel holds little of an answer that nobody reads) {
  start();
  auto given = ask_without_reading(5);
  CAF_CHECK_EQUAL(given, 5);
  CAF_CHECK_LESS(unsent_in_kernel(port), 5u * (128 << 10));
}

CAF_TEST(pipelined requests get no more than one answer over the budget) {
  config.slow_reader_grace = 60s;
  config.max_answer_bytes_in_flight = answer_bytes / 2;
  start();
  test::shrink_send_buffers(port);
  CAF_CHECK_EQUAL(ask_without_reading(1), 1);
  auto before = group->totals().answer_bytes;
  std::string many;
  for (int i = 0; i < 500; ++i)
    many += get("/bytes/4000");
  for (int i = 0; i < 5; ++i)
    readers.emplace_back(port, 4096).send(many);
  for (int i = 0; i < 5; ++i)
    raw_client{port}.ask(get("/after"));
  CAF_CHECK_LESS(group->totals().answer_bytes, before + 5 * 6000);
}

CAF_TEST_FIXTURE_SCOPE_END()

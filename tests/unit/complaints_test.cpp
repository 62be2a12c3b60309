#define CAF_SUITE complaints

#include "actors/balancer/complaints.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

struct fixture {
  complaints log;
  own_answers totals;
  complaints::time_point now{1h};

  void answered(own_answer kind, std::uint64_t times,
                std::string detail = "why") {
    auto& one = totals[kind];
    one.count += times;
    one.last_detail = std::move(detail);
  }

  std::vector<complaints::line> note() { return log.note(totals, now); }
};

constexpr own_answer no_server{503, proxy_cause::no_server};
constexpr own_answer no_route{404, proxy_cause::no_route};

} // namespace

CAF_TEST_FIXTURE_SCOPE(complaints_tests, fixture)

CAF_TEST(the first of a cause is told at once with what helps) {
  answered(no_server, 1, "service 'shop' has no servers");
  auto lines = note();
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK(lines[0].is_failure);
  for (auto part : {"1 request ", "no_server", "503", "add one",
                    "service 'shop' has no servers"})
    CAF_CHECK(contains(lines[0].text, part));
}

CAF_TEST(those that follow are one line for each interval) {
  answered(no_server, 1);
  CAF_CHECK_EQUAL(note().size(), 1u);
  CAF_CHECK(!log.next_line());
  for (int i = 0; i < 59; ++i) {
    now += 1s;
    answered(no_server, 10);
    CAF_CHECK(note().empty());
  }
  CAF_REQUIRE(log.next_line());
  CAF_CHECK(*log.next_line() == now + 1s);
  now += 1s;
  auto lines = note();
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK(contains(lines[0].text, "590 requests"));
  // Nothing more happened, nothing more is said.
  now += 1h;
  CAF_CHECK(note().empty());
  CAF_CHECK(!log.next_line());
}

CAF_TEST(each cause has a line of its own) {
  answered(no_server, 3);
  answered(no_route, 2);
  auto lines = note();
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK(contains(lines[0].text, "2 requests itself (no_route: 404)"));
  // A client's mistake is no failure of the service.
  CAF_CHECK(!lines[0].is_failure);
  answered({502, proxy_cause::unreachable}, 1);
  CAF_CHECK_EQUAL(note().size(), 1u);
}

CAF_TEST(one cause may have several statuses) {
  answered({503, proxy_cause::too_many_connections}, 64);
  answered({0, proxy_cause::too_many_connections}, 100);
  auto lines = note();
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK(contains(lines[0].text, "164 requests"));
  CAF_CHECK(contains(lines[0].text, "no answer, 503"));
}

CAF_TEST(a detail cannot begin a line) {
  answered({400, proxy_cause::bad_request}, 1, "a\r\n[critical] b");
  CAF_CHECK(contains(note().at(0).text, "a??[critical] b"));
}

CAF_TEST_FIXTURE_SCOPE_END()

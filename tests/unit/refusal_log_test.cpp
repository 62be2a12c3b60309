#define CAF_SUITE refusal_log

#include "discovery/transport/refusal_log.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

struct fixture {
  refusal_log log{{.window = 10s, .pairs = 2}};
  refusal_log::time_point now{};

  lines note(const std::string& address, const std::string& reason) {
    auto line = log.note(address, reason, now);
    return line ? lines{*line} : lines{};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(refusal_log_tests, fixture)

CAF_TEST(the first of an address and reason is written at once) {
  CAF_CHECK_EQUAL(note("a", "is late"), lines{"refused a: is late"});
  CAF_CHECK_EQUAL(note("a", "is late"), lines{});
  CAF_CHECK_EQUAL(note("a", "is loud"), lines{"refused a: is loud"});
}

CAF_TEST(the others are counted until the window ends) {
  for (auto i = 0; i < 5; ++i)
    note("a", "is late");
  now += 9s;
  CAF_CHECK_EQUAL(log.take_due(now), lines{});
  now += 1s;
  CAF_CHECK_EQUAL(log.take_due(now),
                  lines{"refused a 4 more times in 10 s: is late"});
  CAF_CHECK(!log.empty());
  now += 10s;
  CAF_CHECK_EQUAL(log.take_due(now), lines{});
  CAF_CHECK(log.empty());
  CAF_CHECK_EQUAL(note("a", "is late"), lines{"refused a: is late"});
}

CAF_TEST(many addresses are counted together) {
  note("a", "is late");
  note("b", "is late");
  // The first of them by its name.
  CAF_CHECK_EQUAL(note("c", "is late"), lines{"refused c: is late"});
  for (auto i = 0; i < 1000; ++i)
    CAF_CHECK_EQUAL(note(std::to_string(i), "is late"), lines{});
  now += 10s;
  CAF_CHECK_EQUAL(log.take_due(now), lines{"refused other addresses 1000 more "
                                           "times in 10 s: various reasons"});
}

CAF_TEST_FIXTURE_SCOPE_END()

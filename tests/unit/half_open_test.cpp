#define CAF_SUITE half_open

#include "discovery/transport/half_open.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using ids = std::vector<half_open_table::id>;

struct fixture {
  half_open_table table{{.total = 4, .per_address = 2, .deadline = 2s}};
  half_open_table::time_point now{};

  auto admit(const std::string& address) { return table.admit(address, now); }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(half_open_tests, fixture)

CAF_TEST(an address that has too many loses its oldest) {
  auto first = admit("a").newcomer;
  auto second = admit("a").newcomer;
  CAF_CHECK(admit("a").dropped == first);
  CAF_CHECK(admit("a").dropped == second);
  CAF_CHECK_EQUAL(table.size(), 2u);
  CAF_CHECK(!admit("b").dropped);
}

CAF_TEST(a full table drops the oldest of the busiest address) {
  auto patient = admit("a").newcomer;
  auto b = admit("b").newcomer;
  admit("b");
  admit("c");
  CAF_CHECK(admit("d").dropped == b);
  CAF_CHECK_EQUAL(table.size(), 4u);
  table.remove(patient);
  CAF_CHECK(!admit("e").dropped);
}

CAF_TEST(many connections of one address never take the place of another) {
  auto patient = admit("node").newcomer;
  for (auto i = 0; i < 1000; ++i)
    CAF_CHECK(admit("stranger").dropped != patient);
  CAF_CHECK_EQUAL(table.size(), 3u);
}

CAF_TEST(of addresses that have as many the oldest connection goes) {
  auto oldest = admit("z").newcomer;
  admit("y");
  admit("x");
  auto quick = admit("a").newcomer;
  CAF_CHECK(admit("w").dropped == oldest);
  for (auto i = 0; i < 2; ++i)
    CAF_CHECK(admit(std::to_string(i)).dropped != quick);
}

CAF_TEST(whoever takes too long has to go) {
  CAF_CHECK(!table.next_deadline());
  auto first = admit("a").newcomer;
  now += 1s;
  auto second = admit("b").newcomer;
  CAF_CHECK(table.next_deadline() == now + 1s);
  CAF_CHECK_EQUAL(table.take_expired(now), ids{});
  now += 1s;
  CAF_CHECK_EQUAL(table.take_expired(now), ids{first});
  now += 1s;
  CAF_CHECK_EQUAL(table.take_expired(now), ids{second});
  CAF_CHECK_EQUAL(table.size(), 0u);
}

CAF_TEST(removing twice changes nothing) {
  auto first = admit("a").newcomer;
  admit("a");
  table.remove(first);
  table.remove(first);
  CAF_CHECK_EQUAL(table.size(), 1u);
  CAF_CHECK(!admit("a").dropped);
}

CAF_TEST(an IPv6 network counts as one address) {
  CAF_CHECK_EQUAL(limit_key("10.0.0.1"), "10.0.0.1");
  CAF_CHECK_EQUAL(limit_key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  CAF_CHECK_EQUAL(limit_key("2001:db8:1:2::9"), "2001:db8:1:2::");
  CAF_CHECK_EQUAL(limit_key("::ffff:10.0.0.1"), "10.0.0.1");
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE pick

#include "actors/balancer/pick.hpp"

#include <algorithm>
#include <map>

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

using order = std::vector<std::uint16_t>;

order schedule(std::vector<std::uint32_t> weights, std::size_t max = 4096) {
  return smooth_schedule(weights, max);
}

} // namespace

CAF_TEST(equal weights take turns) {
  CAF_CHECK_EQUAL(schedule({1, 1, 1}), (order{0, 1, 2}));
  CAF_CHECK_EQUAL(schedule({7, 7}), (order{0, 1}));
}

CAF_TEST(the order is that of nginx) {
  // The example of nginx' commit that brought the algorithm: {5, 1, 1} gives
  // a a b a c a a instead of a a a a a b c.
  CAF_CHECK_EQUAL(schedule({5, 1, 1}), (order{0, 0, 1, 0, 2, 0, 0}));
}

CAF_TEST(a common divisor shortens the round) {
  CAF_CHECK_EQUAL(schedule({1000, 500}), (order{0, 1, 0}));
}

CAF_TEST(weight 0 gets nothing) {
  CAF_CHECK_EQUAL(schedule({0, 3, 0}), (order{1}));
  CAF_CHECK(schedule({0, 0}).empty());
  CAF_CHECK(schedule({}).empty());
}

CAF_TEST(a long round is scaled down and everybody keeps a turn) {
  auto turns = schedule({1000, 999, 1}, 100);
  CAF_CHECK_LESS_OR_EQUAL(turns.size(), 100u);
  std::map<std::uint16_t, int> count;
  for (auto index : turns)
    ++count[index];
  CAF_CHECK_EQUAL(count[2], 1);
  CAF_CHECK_GREATER(count[0], 40);
  CAF_CHECK_GREATER(count[1], 40);
}

CAF_TEST(turns are spread) {
  auto turns = schedule({3, 3, 1});
  CAF_REQUIRE_EQUAL(turns.size(), 7u);
  for (std::size_t i = 0; i + 1 < turns.size(); ++i)
    CAF_CHECK_NOT_EQUAL(turns[i], turns[i + 1]);
}

#define CAF_SUITE restart

#include "actors/supervisor/restart.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const restart_history::time_point start{};
constexpr double middle = 0.5;

} // namespace

CAF_TEST(the first restart is immediate and later ones back off) {
  restart_policy policy;
  policy.max_restarts = 10;
  policy.delay = 1000ms;
  policy.max_delay = 3000ms;
  restart_history history;
  CAF_CHECK_EQUAL(history.next_delay(start, policy, middle)->count(), 0);
  CAF_CHECK_EQUAL(history.next_delay(start, policy, middle)->count(), 1000);
  CAF_CHECK_EQUAL(history.next_delay(start, policy, middle)->count(), 2000);
  CAF_CHECK_EQUAL(history.next_delay(start, policy, middle)->count(), 3000);
  CAF_CHECK_EQUAL(history.next_delay(start, policy, middle)->count(), 3000);
}

CAF_TEST(jitter spreads a delay by a fifth) {
  restart_policy policy;
  restart_history low;
  low.next_delay(start, policy, 0);
  CAF_CHECK_EQUAL(low.next_delay(start, policy, 0)->count(), 800);
  restart_history high;
  high.next_delay(start, policy, 0);
  CAF_CHECK_EQUAL(high.next_delay(start, policy, 0.999)->count(), 1199);
}

CAF_TEST(more restarts than allowed within the window are refused) {
  restart_policy policy;
  policy.max_restarts = 2;
  policy.window = 60s;
  restart_history history;
  CAF_CHECK(history.next_delay(start, policy, middle));
  CAF_CHECK(history.next_delay(start + 1s, policy, middle));
  CAF_CHECK(!history.next_delay(start + 59s, policy, middle));
  // The first two are 60 s old by now.
  CAF_CHECK(history.next_delay(start + 61s, policy, middle));
}

CAF_TEST(without automatic restarts a child stays down) {
  restart_policy policy;
  policy.automatic = false;
  restart_history history;
  CAF_CHECK(!history.next_delay(start, policy, middle));
}

#define CAF_SUITE backoff

#include "discovery/peer_source/backoff.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr double most = 0.999'999;

std::vector<long> waits(backoff& after, int count, double jitter) {
  backoff_policy policy{500ms, 3000ms};
  std::vector<long> result;
  std::generate_n(std::back_inserter(result), count,
                  [&] { return after.next(policy, jitter).count(); });
  return result;
}

} // namespace

CAF_TEST(each wait is twice the one before up to the greatest) {
  backoff after;
  CAF_CHECK_EQUAL(waits(after, 5, most),
                  (std::vector<long>{499, 999, 1999, 2999, 2999}));
}

CAF_TEST(jitter leaves out up to half) {
  backoff after;
  CAF_CHECK_EQUAL(waits(after, 4, 0.0),
                  (std::vector<long>{250, 500, 1000, 1500}));
}

CAF_TEST(a success begins anew) {
  backoff after;
  waits(after, 4, 0.0);
  after.reset();
  CAF_CHECK_EQUAL(waits(after, 1, 0.0), std::vector<long>{250});
}

CAF_TEST(no number of failures is too great) {
  backoff after;
  after.failures = std::numeric_limits<std::uint32_t>::max() - 1;
  CAF_CHECK_EQUAL(waits(after, 1, 0.0), std::vector<long>{1500});
}

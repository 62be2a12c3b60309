#define CAF_SUITE lease

#include "messages/lease.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::chrono::nanoseconds suspended{0};

lease::clock::time_point at(std::chrono::milliseconds time) {
  return lease::clock::time_point{1h + time};
}

struct fixture {
  lease right{[] { return suspended; }};

  ~fixture() { suspended = 0ns; }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(lease_tests, fixture)

CAF_TEST(a lease ends by itself) {
  CAF_CHECK(!right.held(at(0ms)));
  right.extend(at(0ms), at(100ms), at(5ms));
  CAF_CHECK(right.held(at(99ms)));
  CAF_CHECK(!right.held(at(100ms)));
  right.extend(at(80ms), at(180ms), at(90ms));
  CAF_CHECK(right.held(at(150ms)));
  right.end();
  CAF_CHECK(!right.held(at(150ms)));
}

CAF_TEST(whoever was suspended has no lease though its clock stood still) {
  right.extend(at(0ms), at(100ms), at(5ms));
  suspended += 10min;
  CAF_CHECK(!right.held(at(6ms)));
}

CAF_TEST(what was known before a suspension extends nothing) {
  right.extend(at(0ms), at(100ms), at(5ms));
  suspended += 10min;
  // An answer that had arrived before, or a contact that is on record.
  right.extend(at(4ms), at(104ms), at(6ms));
  CAF_CHECK(!right.held(at(6ms)));
  right.extend(at(5ms), at(105ms), at(7ms));
  CAF_CHECK(!right.held(at(7ms)));
  // Asked and answered since.
  right.extend(at(8ms), at(108ms), at(9ms));
  CAF_CHECK(right.held(at(9ms)));
  // The next suspension is another one.
  suspended += 1s;
  CAF_CHECK(!right.held(at(10ms)));
  right.extend(at(9ms), at(109ms), at(11ms));
  CAF_CHECK(!right.held(at(11ms)));
}

CAF_TEST(clocks that are read one after the other are no suspension) {
  right.extend(at(0ms), at(100ms), at(5ms));
  suspended += 1ms;
  CAF_CHECK(right.held(at(50ms)));
}

CAF_TEST_FIXTURE_SCOPE_END()

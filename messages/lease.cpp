#include "messages/lease.hpp"

#include <ctime>

namespace troupe {

namespace {

/// Two readings of two clocks are never taken at the same time.
constexpr std::chrono::milliseconds tolerance{20};

std::chrono::nanoseconds read(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::chrono::seconds{now.tv_sec}
         + std::chrono::nanoseconds{now.tv_nsec};
}

} // namespace

std::chrono::nanoseconds lease::time_suspended() {
  auto steady = read(CLOCK_MONOTONIC);
  return read(CLOCK_BOOTTIME) - steady;
}

bool lease::was_suspended() const {
  auto before = suspended_.load(std::memory_order_relaxed);
  return time_suspended().count() - before
         > std::chrono::nanoseconds{tolerance}.count();
}

} // namespace troupe

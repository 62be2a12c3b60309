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

void lease::extend(clock::time_point since, clock::time_point end,
                   clock::time_point now) {
  if (was_suspended()) {
    // First the end: a reader that sees the new time sees that, too.
    this->end();
    suspended_.store(time_suspended_().count(), std::memory_order_release);
    resumed_ = now;
  }
  if (since >= resumed_)
    until_.store(end.time_since_epoch().count(), std::memory_order_release);
}

bool lease::was_suspended() const {
  auto before = suspended_.load(std::memory_order_acquire);
  return time_suspended_().count() - before
         > std::chrono::nanoseconds{tolerance}.count();
}

} // namespace troupe

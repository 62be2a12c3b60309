#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace troupe {

/// A right that ends by itself, so that its holder needs no message to lose it:
/// whoever is cut off, stopped or suspended finds it gone. One writer, any
/// number of readers on other threads.
class lease {
public:
  using clock = std::chrono::steady_clock;

  /// Held until then.
  void extend_until(clock::time_point end) {
    suspended_.store(time_suspended().count(), std::memory_order_relaxed);
    until_.store(end.time_since_epoch().count(), std::memory_order_release);
  }

  /// Not held any more.
  void end() { until_.store(0, std::memory_order_release); }

  /// When it ends unless it is extended; in the past when it is not held.
  clock::time_point until() const {
    return clock::time_point{
      clock::duration{until_.load(std::memory_order_acquire)}};
  }

  bool held(clock::time_point now = clock::now()) const {
    return now.time_since_epoch().count()
             < until_.load(std::memory_order_acquire)
           && !was_suspended();
  }

private:
  /// The steady clock stands still while the machine is suspended. What the
  /// two clocks differ by grows with each suspension, and only then.
  static std::chrono::nanoseconds time_suspended();

  bool was_suspended() const;

  std::atomic<clock::rep> until_{0};
  std::atomic<std::int64_t> suspended_{0};
};

using lease_ptr = std::shared_ptr<lease>;

} // namespace troupe

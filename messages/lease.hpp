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
  /// For how long this machine has been suspended since it started.
  using suspension_clock = std::chrono::nanoseconds (*)();

  explicit lease(suspension_clock suspended = time_suspended)
    : time_suspended_(suspended), suspended_(suspended().count()) {}

  /// Held until `end`, by what was known at `since`. That is worth nothing when
  /// the machine was suspended in between: the lease then ends.
  void extend(clock::time_point since, clock::time_point end,
              clock::time_point now);

  /// Not held any more.
  void end() { until_.store(0, std::memory_order_release); }

  /// When it ends unless it is extended; in the past when it is not held.
  clock::time_point until() const {
    return clock::time_point{
      clock::duration{until_.load(std::memory_order_acquire)}};
  }

  bool held(clock::time_point now = clock::now()) const {
    return !was_suspended()
           && now.time_since_epoch().count()
                < until_.load(std::memory_order_acquire);
  }

private:
  /// The steady clock stands still while the machine is suspended. What the
  /// two clocks differ by grows with each suspension, and only then.
  static std::chrono::nanoseconds time_suspended();

  bool was_suspended() const;

  suspension_clock time_suspended_;
  std::atomic<clock::rep> until_{0};
  std::atomic<std::int64_t> suspended_;
  /// When the writer noticed the last suspension.
  clock::time_point resumed_ = clock::time_point::min();
};

using lease_ptr = std::shared_ptr<lease>;

} // namespace troupe

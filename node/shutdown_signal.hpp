#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include <signal.h>

namespace troupe {

/// Waits for orders: SIGTERM or SIGINT to stop, SIGUSR2 to restart in place, or
/// a fatal error of the node's own. Make it before any thread starts: threads
/// inherit the blocked signals.
class shutdown_signal {
public:
  enum class order { stop, restart, failed };

  shutdown_signal();

  /// Orders the stop from within, after a fatal error. From any thread.
  void fail();

  /// The same without an error.
  void request();

  /// Blocks until there is an order.
  order wait();

  /// Blocks for `span`, or until the order to stop or a failure: then it
  /// returns true, and so does each later call; `wait` returns that order at
  /// once. Orders to restart are dropped meanwhile.
  bool stop_comes_within(std::chrono::milliseconds span);

private:
  order order_of(int signal) const;

  sigset_t signals_{};
  std::optional<order> stop_;
  std::atomic<bool> failed_{false};
};

} // namespace troupe

#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include <signal.h>

namespace troupe {

/// Waits for the order to stop: SIGTERM, SIGINT, or a fatal error of the node's
/// own. Make it before any thread starts: threads inherit the blocked signals.
class shutdown_signal {
public:
  shutdown_signal();

  /// Orders the stop from within, after a fatal error. From any thread.
  void fail();

  /// The same without an error.
  void request();

  /// Blocks until then. Returns whether the stop was asked for from outside.
  bool wait();

  /// Blocks for `span`, or until another order comes: then it returns true.
  bool comes_within(std::chrono::milliseconds span);

private:
  sigset_t signals_{};
  std::atomic<bool> failed_{false};
};

} // namespace troupe

#pragma once

#include <atomic>
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

private:
  sigset_t signals_{};
  std::atomic<bool> failed_{false};
};

} // namespace troupe

#include "node/shutdown_signal.hpp"

#include <pthread.h>
#include <unistd.h>

namespace troupe {

shutdown_signal::shutdown_signal() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  // A peer that closes its end shows as an error of the write.
  ::signal(SIGPIPE, SIG_IGN);
}

void shutdown_signal::fail() {
  failed_ = true;
  request();
}

void shutdown_signal::request() {
  ::kill(::getpid(), SIGTERM);
}

bool shutdown_signal::wait() {
  int received = 0;
  while (sigwait(&signals_, &received) != 0) {
    // Interrupted: wait on.
  }
  return !failed_;
}

bool shutdown_signal::comes_within(std::chrono::milliseconds span) {
  using std::chrono::duration_cast;
  auto seconds = duration_cast<std::chrono::seconds>(span);
  timespec limit{};
  limit.tv_sec = seconds.count();
  limit.tv_nsec = std::chrono::nanoseconds{span - seconds}.count();
  return sigtimedwait(&signals_, nullptr, &limit) > 0;
}

} // namespace troupe

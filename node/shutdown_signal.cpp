#include "node/shutdown_signal.hpp"

#include <pthread.h>
#include <unistd.h>

namespace troupe {

shutdown_signal::shutdown_signal() {
  sigemptyset(&signals_);
  for (auto signal : {SIGTERM, SIGINT, SIGUSR2})
    sigaddset(&signals_, signal);
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

shutdown_signal::order shutdown_signal::order_of(int signal) const {
  if (failed_)
    return order::failed;
  return signal == SIGUSR2 ? order::restart : order::stop;
}

shutdown_signal::order shutdown_signal::wait() {
  if (stop_)
    return *stop_;
  int received = 0;
  while (sigwait(&signals_, &received) != 0) {
    // Interrupted: wait on.
  }
  return order_of(received);
}

bool shutdown_signal::stop_comes_within(std::chrono::milliseconds span) {
  using std::chrono::duration_cast;
  auto seconds = duration_cast<std::chrono::seconds>(span);
  timespec limit{};
  limit.tv_sec = seconds.count();
  limit.tv_nsec = std::chrono::nanoseconds{span - seconds}.count();
  auto received = stop_ ? 0 : sigtimedwait(&signals_, nullptr, &limit);
  if (received > 0 && order_of(received) != order::restart)
    stop_ = order_of(received);
  return stop_.has_value();
}

} // namespace troupe

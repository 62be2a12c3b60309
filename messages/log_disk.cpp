#include "messages/log_disk.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

void log_disk::wrote(clock::duration took) {
  auto bucket = std::lower_bound(bounds.begin(), bounds.end(), took);
  std::lock_guard guard{mutex_};
  ++report_.writes[static_cast<std::size_t>(bucket - bounds.begin())];
  report_.total += took;
}

void log_disk::set_refusal(std::string why) {
  std::lock_guard guard{mutex_};
  refusal_ = std::move(why);
}

std::string log_disk::refusal() const {
  std::lock_guard guard{mutex_};
  return refusal_;
}

void log_disk::set_waiting_since(std::optional<clock::time_point> since) {
  std::lock_guard guard{mutex_};
  report_.waiting_since = since;
}

void log_disk::set_trouble(std::string what) {
  std::lock_guard guard{mutex_};
  report_.trouble = std::move(what);
}

log_disk::report log_disk::get() const {
  std::lock_guard guard{mutex_};
  return report_;
}

} // namespace troupe

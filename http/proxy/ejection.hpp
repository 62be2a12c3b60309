#pragma once

#include <algorithm>
#include <chrono>

namespace troupe::proxying {

/// A server's passive health as one io thread sees it: after a failed connect
/// others are tried first for a while, twice as long with each further
/// failure, until a connect succeeds.
class ejection {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds first{1};
  static constexpr std::chrono::seconds longest{10};

  void failed(clock::time_point now) noexcept {
    // Requests that failed together count once.
    if (now < until_)
      return;
    span_ = span_.count() == 0 ? first : std::min(span_ * 2, longest);
    until_ = now + span_;
  }

  void succeeded() noexcept {
    span_ = std::chrono::seconds{0};
    until_ = {};
  }

  bool active(clock::time_point now) const noexcept { return now < until_; }

private:
  std::chrono::seconds span_{0};
  clock::time_point until_{};
};

} // namespace troupe::proxying

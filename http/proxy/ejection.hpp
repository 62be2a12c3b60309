#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace troupe::proxying {

/// A time in which others are tried first, twice as long with each further
/// failure, until a success.
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

/// A server's passive health as one io thread sees it. A failed connect ejects
/// it at once, failed answers do when there were several in a row: one may be
/// its request's fault.
class passive_health {
public:
  using clock = ejection::clock;

  /// `answer_threshold`: failed answers in a row; 0: they do not count.
  explicit passive_health(std::uint32_t answer_threshold)
    : threshold_(answer_threshold) {}

  void connect_failed(clock::time_point now) noexcept {
    connecting_.failed(now);
  }

  /// Says nothing about answers: a server that hangs takes connections too.
  void connected() noexcept { connecting_.succeeded(); }

  /// 5xx, none in time, a broken connection, no valid HTTP.
  void answer_failed(clock::time_point now) noexcept {
    if (threshold_ > 0 && ++failures_ >= threshold_)
      answering_.failed(now);
  }

  void answered() noexcept {
    failures_ = 0;
    answering_.succeeded();
  }

  bool ejected(clock::time_point now) const noexcept {
    return connecting_.active(now) || answering_.active(now);
  }

private:
  const std::uint32_t threshold_;
  std::uint32_t failures_ = 0;
  ejection connecting_;
  ejection answering_;
};

} // namespace troupe::proxying

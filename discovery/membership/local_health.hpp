#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace troupe {

/// How far an observer may trust its own clock: who is served late by the
/// machine hears late from others too, and must not blame them. A score from 0
/// to 8 that grows with each late tick and shrinks with each timely one, as
/// Lifeguard's local health multiplier (Dadgar, Phillips, Currey: "Lifeguard:
/// SWIM-ing with Situational Awareness", §IV-A).
class local_health {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// A tick came that was due every `interval`.
  void ticked(time_point now, std::chrono::milliseconds interval) {
    if (last_) {
      auto late = now - *last_ > interval + interval / 2;
      score_ = late ? std::min(score_ + 1, max_score) : std::max(score_ - 1, 0);
    }
    last_ = now;
  }

  /// Factor for every timeout on others: 1 for a healthy observer.
  std::uint32_t patience() const {
    return static_cast<std::uint32_t>(score_) + 1;
  }

private:
  static constexpr int max_score = 8;

  std::optional<time_point> last_;
  int score_ = 0;
};

} // namespace troupe

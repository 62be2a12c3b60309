#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <boost/system/error_code.hpp>
#include <spdlog/spdlog.h>

namespace troupe {

/// What a listener does when it can't accept, usually for want of descriptors:
/// pauses that grow while it goes on, and a log line now and then.
class accept_backoff {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds first_pause{50};
  static constexpr std::chrono::milliseconds longest_pause{1000};
  static constexpr std::chrono::seconds between_lines{10};

  /// Returns the pause before the next attempt.
  std::chrono::milliseconds failed(std::string_view listener,
                                   const boost::system::error_code& why,
                                   clock::time_point now) {
    ++failures_;
    if (lines_ == 0 || now - last_line_ >= between_lines) {
      ++lines_;
      last_line_ = now;
      spdlog::warn("{}: accept failed ({} times by now): {}", listener,
                   failures_, why.message());
    }
    auto pause = next_pause_;
    next_pause_ = std::min(2 * next_pause_, longest_pause);
    return pause;
  }

  void succeeded() noexcept { next_pause_ = first_pause; }

  /// Since the start.
  std::uint64_t failures() const noexcept { return failures_; }
  std::uint64_t lines() const noexcept { return lines_; }

private:
  std::chrono::milliseconds next_pause_ = first_pause;
  std::uint64_t failures_ = 0;
  std::uint64_t lines_ = 0;
  clock::time_point last_line_{};
};

} // namespace troupe

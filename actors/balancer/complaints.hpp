#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/traffic.hpp"

namespace troupe {

/// Turns what the proxies answered themselves into log lines: the first of a
/// cause at once, those that follow as one line each interval. Pure; the caller
/// tells the time.
class complaints {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Between two lines of one cause.
  static constexpr std::chrono::seconds interval{60};

  struct line {
    /// Whether clients got 5xx or nothing.
    bool is_failure = false;
    std::string text;
  };

  /// What to log now. `totals` are counts since the node started.
  std::vector<line> note(const own_answers& totals, time_point now);

  /// When there will be something to log that `note` held back.
  std::optional<time_point> next_line() const;

private:
  struct cause_state {
    std::uint64_t logged = 0;
    std::uint64_t seen = 0;
    time_point quiet_until{};
  };

  std::map<proxy_cause, cause_state> causes_;
};

} // namespace troupe

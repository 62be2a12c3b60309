#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Decides which refused connections get a line in the log: the first of each
/// address and reason at once, the others as a number when the window ends. So
/// a stranger can't fill the disk, and nobody who knocks goes unmentioned.
/// Pure; time is an argument.
class refusal_log {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct limits {
    std::chrono::milliseconds window{10'000};
    /// Pairs of address and reason that are counted apart; what comes beyond
    /// is counted together.
    std::size_t pairs = 64;
  };

  explicit refusal_log(limits what) : limits_(what) {}

  /// The line to write now, if any.
  /// @param reason without anything that differs from one connection of the
  /// address to the next.
  std::optional<std::string> note(const std::string& address,
                                  const std::string& reason, time_point now);

  /// The lines about what was counted in windows that have ended.
  std::vector<std::string> take_due(time_point now);

  /// Whether `take_due` will never have anything.
  bool empty() const noexcept { return counts_.empty(); }

private:
  using source = std::pair<std::string, std::string>;

  struct count {
    time_point since;
    std::uint64_t unmentioned = 0;
  };

  limits limits_;
  std::map<source, count> counts_;
};

} // namespace troupe

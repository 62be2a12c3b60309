#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <caf/fwd.hpp>

namespace troupe {

/// Decides which of many lines of a kind are written: the first at once, then
/// at most one in each window. Pure; time is an argument.
class folded_line {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// How many there were since the last written line, this one included;
  /// nothing: it is not written.
  std::optional<std::uint64_t> note(time_point now);

private:
  static constexpr std::chrono::seconds window{10};

  std::optional<time_point> written_;
  std::uint64_t unwritten_ = 0;
};

/// An actor ends by its own decision, never by what somebody sends it. CAF's
/// defaults answer a message without handler with an error whether or not an
/// answer was asked for, and let an actor end that receives an error: so one
/// message that a peer could not read, or the answer to one that was sent
/// without asking, ended whoever had sent it.
///
/// From here on such messages, errors and news of ends are dropped, with a
/// folded line in the log; only a request without handler is answered, with
/// `malformed`. Every actor's body begins with this.
void outlive_strays(caf::scheduled_actor* self);

} // namespace troupe

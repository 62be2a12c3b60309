#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Bounds the questions under way to each member, and so the memory of replies
/// that arrive faster than they are used. One member's silence holds up no
/// question to another.
class ask_limit {
public:
  /// @param most questions under way to one member.
  explicit ask_limit(std::uint32_t most) : most_(most) {}

  /// Calls `ask` now, or when an earlier question to `whom` is settled.
  template <class Ask>
  void enter(member_id whom, Ask ask) {
    auto& to = lanes_[whom];
    if (to.under_way >= most_) {
      to.waiting.emplace_back(std::move(ask));
      return;
    }
    ++to.under_way;
    ask();
  }

  /// A question to `whom` is settled: there is an answer, or none will come.
  void leave(member_id whom) {
    auto& to = lanes_.at(whom);
    --to.under_way;
    // One that settles at once gets here again: no deeper for each that waits.
    if (std::exchange(to.moving_up, true))
      return;
    while (!to.waiting.empty() && to.under_way < most_) {
      auto next = std::move(to.waiting.front());
      to.waiting.pop_front();
      ++to.under_way;
      next();
    }
    to.moving_up = false;
    if (to.under_way == 0)
      lanes_.erase(whom);
  }

private:
  struct lane {
    std::uint32_t under_way = 0;
    bool moving_up = false;
    std::deque<std::function<void()>> waiting;
  };

  const std::uint32_t most_;
  std::map<member_id, lane> lanes_;
};

} // namespace troupe

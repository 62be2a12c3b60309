#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Which of a service's servers may get traffic, and why the others may not.
/// Inline: the proxies' table and the reports must agree.
class availability {
public:
  availability() = default;

  explicit availability(const std::vector<const server*>& servers) {
    for (auto* one : servers)
      admit(*one);
  }

  /// Whether `candidate` may get traffic; counts it.
  bool admit(const server& candidate) {
    ++total_;
    if (candidate.maintenance) {
      ++maintenance_;
    } else if (candidate.condition == health::unhealthy) {
      ++unhealthy_;
      last_health_reason_ = candidate.condition_reason;
    } else if (candidate.weight == 0) {
      ++weightless_;
    } else {
      ++usable_;
      return true;
    }
    return false;
  }

  std::size_t usable() const noexcept { return usable_; }

  /// Those that fail, not those that somebody took out.
  std::size_t unhealthy() const noexcept { return unhealthy_; }

  /// For people: why nobody, or not everybody, gets traffic.
  std::string explain(const std::string& service) const {
    if (total_ == 0)
      return "service '" + service + "' has no servers";
    std::string parts;
    auto add = [&](std::size_t count, std::string what) {
      if (count > 0)
        parts += (parts.empty() ? "" : ", ") + std::to_string(count) + " "
                 + std::move(what);
    };
    add(maintenance_, "in maintenance");
    add(unhealthy_, last_health_reason_.empty()
                      ? "unhealthy"
                      : "unhealthy (" + last_health_reason_ + ")");
    add(weightless_, "of weight 0");
    auto who = usable_ == 0 ? std::string{"no server"}
                            : std::to_string(usable_) + " of "
                                + std::to_string(total_) + " servers";
    return "service '" + service + "' has " + who + " for traffic: " + parts;
  }

private:
  std::size_t total_ = 0;
  std::size_t usable_ = 0;
  std::size_t maintenance_ = 0;
  std::size_t unhealthy_ = 0;
  std::size_t weightless_ = 0;
  std::string last_health_reason_;
};

} // namespace troupe

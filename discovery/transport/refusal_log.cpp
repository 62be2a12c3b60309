#include "discovery/transport/refusal_log.hpp"

#include <fmt/format.h>

namespace troupe {

std::optional<std::string> refusal_log::note(const std::string& address,
                                             const std::string& reason,
                                             time_point now) {
  source who{address, reason};
  auto i = counts_.find(who);
  if (i == counts_.end() && counts_.size() >= limits_.pairs) {
    who = {"other addresses", "various reasons"};
    i = counts_.find(who);
  }
  if (i != counts_.end()) {
    ++i->second.unmentioned;
    return std::nullopt;
  }
  counts_.emplace(who, count{now});
  return fmt::format("refused {}: {}", address, reason);
}

std::vector<std::string> refusal_log::take_due(time_point now) {
  std::vector<std::string> result;
  for (auto i = counts_.begin(); i != counts_.end();) {
    auto& [who, what] = *i;
    if (now - what.since < limits_.window) {
      ++i;
      continue;
    }
    if (what.unmentioned == 0) {
      i = counts_.erase(i);
      continue;
    }
    result.push_back(fmt::format(
      "refused {} {} more times in {} s: {}", who.first, what.unmentioned,
      std::chrono::duration_cast<std::chrono::seconds>(now - what.since)
        .count(),
      who.second));
    what = {now};
    ++i;
  }
  return result;
}

} // namespace troupe

#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/configuration.hpp"

namespace troupe {

/// A condition between options, or on more than an option's own text.
struct cross_check {
  /// What it looks at. The problem is reported at the first of them that was
  /// set; the check is left out when one of them is wrong by itself.
  std::vector<std::string_view> paths;
  /// What is wrong and what to do, or nothing.
  std::optional<std::string> (*problem)(const configuration& config);
};

std::span<const cross_check> all_cross_checks();

} // namespace troupe

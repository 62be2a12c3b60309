#pragma once

#include <string_view>

namespace troupe {

/// Whether the first line ends with LF alone, which Beast takes for a wrong
/// version.
constexpr bool ends_with_bare_line_feed(std::string_view head) {
  auto end = head.find('\n');
  return end != head.npos && (end == 0 || head[end - 1] != '\r');
}

} // namespace troupe

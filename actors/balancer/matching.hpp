#pragma once

#include <string_view>

namespace troupe {

/// A `Host` header's or authority's host, without its port.
constexpr std::string_view host_without_port(std::string_view authority) {
  if (authority.starts_with('[')) {
    auto end = authority.find(']');
    return end == std::string_view::npos ? authority
                                         : authority.substr(0, end + 1);
  }
  return authority.substr(0, authority.find(':'));
}

/// Whether two host names are the same; case does not count (RFC 9110 §4.2.3).
constexpr bool same_host(std::string_view lhs, std::string_view rhs) {
  auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  if (lhs.size() != rhs.size())
    return false;
  for (std::size_t i = 0; i < lhs.size(); ++i)
    if (lower(lhs[i]) != lower(rhs[i]))
      return false;
  return true;
}

/// Whether `path` lies under `prefix`, which ends at a segment boundary: `/api`
/// takes `/api`, `/api/x` and `/api?q`, not `/apis`. An empty prefix takes all.
constexpr bool under_prefix(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix))
    return false;
  if (prefix.empty() || prefix.back() == '/' || path.size() == prefix.size())
    return true;
  auto next = path[prefix.size()];
  return next == '/' || next == '?';
}

} // namespace troupe

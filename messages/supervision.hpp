#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <caf/meta/type_name.hpp>

namespace troupe {

struct list_children {};

/// A supervised actor as the supervisor sees it.
struct child_status {
  std::string name;
  /// `running`, `waiting` (for its restart) or `stopped`.
  std::string state;
  std::uint32_t restarts = 0;
  /// Why it ended last; empty when it never did.
  std::string last_reason;
};

struct children_list {
  std::vector<child_status> children;
};

/// Ends a child with reason `kill`; it is restarted by its policy.
/// Errors: not_found.
struct kill_child {
  std::string name;
};

/// Stops all children in reverse order of their start. Answered when the last
/// one is down.
struct shut_down {};

struct done {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_children&) {
  return f(caf::meta::type_name("list_children"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_status& x) {
  return f(caf::meta::type_name("child_status"), x.name, x.state, x.restarts,
           x.last_reason);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, children_list& x) {
  return f(caf::meta::type_name("children_list"), x.children);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, kill_child& x) {
  return f(caf::meta::type_name("kill_child"), x.name);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, shut_down&) {
  return f(caf::meta::type_name("shut_down"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, done&) {
  return f(caf::meta::type_name("done"));
}

} // namespace troupe

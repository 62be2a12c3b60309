#include "messages/cluster_state.hpp"

#include <algorithm>

namespace troupe {

std::string to_string(const endpoint& where) {
  auto port = std::to_string(where.port);
  if (where.host.find(':') != std::string::npos)
    return "[" + where.host + "]:" + port;
  return where.host + ":" + port;
}

std::string_view to_string(verdict what) {
  switch (what) {
    case verdict::alive:
      return "alive";
    case verdict::suspect:
      return "suspect";
    case verdict::down:
      return "down";
    case verdict::left:
      return "left";
  }
  return "unknown";
}

std::string_view to_string(raft_role what) {
  switch (what) {
    case raft_role::none:
      return "none";
    case raft_role::standby:
      return "standby";
    case raft_role::voter:
      return "voter";
  }
  return "unknown";
}

std::string_view to_string(health what) {
  switch (what) {
    case health::unknown:
      return "unknown";
    case health::healthy:
      return "healthy";
    case health::unhealthy:
      return "unhealthy";
  }
  return "unknown";
}

const member* cluster_state::find_member(std::string_view name) const {
  auto i = std::find_if(members.begin(), members.end(), [&](auto& entry) {
    return entry.second.info.name == name;
  });
  return i == members.end() ? nullptr : &i->second;
}

} // namespace troupe

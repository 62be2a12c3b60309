#include "messages/cluster_state.hpp"

#include <algorithm>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "messages/type_ids.hpp"

namespace troupe {

void notify_of_changes(const cluster_view& view, const caf::actor_addr& who) {
  view->subscribe([who] {
    auto alive = caf::actor_cast<caf::strong_actor_ptr>(who);
    if (!alive)
      return false;
    caf::anon_send(caf::actor_cast<caf::actor>(alive), state_changed{});
    return true;
  });
}

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

std::string cluster_state::different_routes(member_id self) const {
  auto own = members.find(self);
  if (own == members.end() || own->second.info.routes_digest == 0)
    return {};
  std::string names;
  for (auto& [id, other] : members) {
    auto present =
      other.state == verdict::alive || other.state == verdict::suspect;
    auto digest = other.info.routes_digest;
    if (present && digest != 0 && digest != own->second.info.routes_digest)
      names += (names.empty() ? "" : ", ") + other.info.name;
  }
  if (names.empty())
    return {};
  return own->second.info.name
         + " has other settings of proxy.routes or proxy.defaultService than "
         + names + ": the same request may get another answer there";
}

const member* cluster_state::find_member(std::string_view name) const {
  auto i = std::find_if(members.begin(), members.end(), [&](auto& entry) {
    return entry.second.info.name == name;
  });
  return i == members.end() ? nullptr : &i->second;
}

} // namespace troupe

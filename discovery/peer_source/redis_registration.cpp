#include "discovery/peer_source/redis_registration.hpp"

#include <array>

namespace troupe {

std::string registration_key(const std::string& cluster_name, member_id id) {
  return "troupe:" + cluster_name + ":node:" + to_string(id);
}

std::string registration_pattern(const std::string& cluster_name) {
  return "troupe:" + cluster_name + ":node:*";
}

std::string_view advice_for(std::string_view error_reply) {
  struct advice {
    /// Part of the reply. The words are those of Redis 5 to 7.
    std::string_view reply;
    std::string_view words;
  };
  constexpr std::array known = {
    advice{"NOAUTH", "; set discovery.redis.password"},
    advice{"WRONGPASS", "; correct discovery.redis.password"},
    advice{"invalid password", "; correct discovery.redis.password"},
    advice{"without any password", "; leave discovery.redis.password empty"},
    advice{"no password is set", "; leave discovery.redis.password empty"},
    advice{"LOADING", "; it answers once its data is loaded"},
    advice{"READONLY", "; name its primary in discovery.redis.host"},
    advice{"MOVED", "; name a Redis that is no Redis Cluster"},
    advice{"NOPERM", "; the user needs SET, DEL, SCAN and MGET on troupe:*"},
  };
  for (auto& [reply, words] : known)
    if (error_reply.find(reply) != error_reply.npos)
      return words;
  return {};
}

} // namespace troupe

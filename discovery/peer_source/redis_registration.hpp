#pragma once

#include <string>
#include <string_view>

#include "messages/ids.hpp"

namespace troupe {

/// The key under which a node's cluster address stands in Redis:
/// `troupe:<cluster name>:node:<member id>`.
std::string registration_key(const std::string& cluster_name, member_id id);

/// Matches these keys of all nodes, for SCAN. A cluster's name has no
/// characters that mean something in a pattern.
std::string registration_pattern(const std::string& cluster_name);

/// What to do about an error reply of Redis, as `; set
/// discovery.redis.password`. Empty when the reply says all there is to say.
std::string_view advice_for(std::string_view error_reply);

} // namespace troupe

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/cluster_state.hpp"

namespace troupe {

/// A member's part in consensus, as a Raft configuration says it.
struct raft_server_role {
  member_id id = member_id::none;
  raft_role role = raft_role::standby;

  bool operator==(const raft_server_role&) const = default;
};

/// Who takes part in consensus. Members that are not listed have no role.
using raft_configuration_servers = std::vector<raft_server_role>;

/// The bytes of a configuration entry, in libraft's encoding ("disk format",
/// section on configuration entries): the core reads them itself.
std::string encode_configuration(const raft_configuration_servers& servers);

/// Reads them. Strict, because libraft trusts its input: nothing for bytes that
/// it would not have written, an empty list, or a server listed twice.
std::optional<raft_configuration_servers>
decode_configuration(std::string_view bytes);

/// Whether `next` may follow `current`: libraft keeps each server's progress by
/// its position and makes it anew only when their number changes, so the
/// servers that stay must keep their order, and one at most comes or goes.
bool may_follow(const raft_configuration_servers& current,
                const raft_configuration_servers& next);

/// Whether `id` is the only voter.
bool only_voter(const raft_configuration_servers& servers, member_id id);

} // namespace troupe

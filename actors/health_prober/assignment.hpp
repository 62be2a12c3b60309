#pragma once

#include <span>
#include <string_view>

#include "messages/ids.hpp"

namespace troupe {

/// The member that checks a server: the one with the highest hash of (server,
/// member), so that a member that comes or goes moves only the servers it gets
/// or had (rendezvous hashing, Thaler and Ravishankar 1998). All nodes with the
/// same members find the same one. `none` when there are no members.
member_id prober_of(std::string_view server_id,
                    std::span<const member_id> members);

} // namespace troupe

#pragma once

#include <vector>

#include "discovery/raft/raft_configuration.hpp"
#include "discovery/raft/raft_core.h"
#include "discovery/raft/raft_message.hpp"
#include "messages/ids.hpp"

// Our messages, entries and configurations in the shapes of the core, and back.

namespace troupe {

/// They point into `entries`.
std::vector<raft_core_entry>
core_entries(const std::vector<log_entry>& entries);

std::vector<raft_core_server>
core_servers(const raft_configuration_servers& servers);

/// Messages of the peer `from`. Those that carry entries or servers point to
/// what they are given beside the message.
raft_core_message to_core(member_id from, const append_entries& x,
                          const std::vector<raft_core_entry>& entries);
raft_core_message to_core(member_id from, const append_entries_result& x);
raft_core_message to_core(member_id from, const request_vote& x);
raft_core_message to_core(member_id from, const request_vote_result& x);
raft_core_message to_core(member_id from, const install_snapshot& x,
                          const std::vector<raft_core_server>& servers);
raft_core_message to_core(member_id from, const timeout_now& x);

/// A message that the core sends, without what the core does not hold: entries,
/// the snapshot, and the leader's clock.
raft_message from_core(const raft_core_message& x);

} // namespace troupe

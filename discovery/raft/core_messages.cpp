#include "discovery/raft/core_messages.hpp"

namespace troupe {

namespace {

raft_core_message message_of(member_id from, int kind, std::uint64_t term) {
  raft_core_message result{};
  result.kind = kind;
  result.peer = static_cast<std::uint64_t>(from);
  result.term = term;
  return result;
}

} // namespace

std::vector<raft_core_entry>
core_entries(const std::vector<log_entry>& entries) {
  std::vector<raft_core_entry> result;
  result.reserve(entries.size());
  for (auto& entry : entries)
    result.push_back({entry.term, static_cast<int>(entry.kind),
                      entry.bytes.data(), entry.bytes.size()});
  return result;
}

std::vector<raft_core_server>
core_servers(const raft_configuration_servers& servers) {
  std::vector<raft_core_server> result;
  for (auto& server : servers)
    result.push_back(
      {static_cast<std::uint64_t>(server.id),
       server.role == raft_role::voter ? RAFT_CORE_VOTER : RAFT_CORE_STANDBY});
  return result;
}

raft_core_message to_core(member_id from, const append_entries& x,
                          const std::vector<raft_core_entry>& entries) {
  auto result = message_of(from, RAFT_CORE_APPEND_ENTRIES, x.term);
  result.index = x.prev_index;
  result.index_term = x.prev_term;
  result.commit = x.commit;
  result.entries = entries.data();
  result.n_entries = entries.size();
  return result;
}

raft_core_message to_core(member_id from, const append_entries_result& x) {
  auto result = message_of(from, RAFT_CORE_APPEND_ENTRIES_RESULT, x.term);
  result.rejected = x.rejected;
  result.index = x.last_index;
  result.features = x.features;
  result.capacity = x.capacity;
  return result;
}

raft_core_message to_core(member_id from, const request_vote& x) {
  auto result = message_of(from, RAFT_CORE_REQUEST_VOTE, x.term);
  result.index = x.last_index;
  result.index_term = x.last_term;
  result.disrupt_leader = x.disrupt_leader;
  result.pre_vote = x.pre_vote;
  return result;
}

raft_core_message to_core(member_id from, const request_vote_result& x) {
  auto result = message_of(from, RAFT_CORE_REQUEST_VOTE_RESULT, x.term);
  result.vote_granted = x.granted;
  result.pre_vote = x.pre_vote;
  result.features = x.features;
  result.capacity = x.capacity;
  return result;
}

raft_core_message to_core(member_id from, const install_snapshot& x,
                          const std::vector<raft_core_server>& servers) {
  auto result = message_of(from, RAFT_CORE_INSTALL_SNAPSHOT, x.term);
  result.index = x.snapshot->index;
  result.index_term = x.snapshot->term;
  result.configuration_index = x.snapshot->configuration_index;
  result.servers = servers.data();
  result.n_servers = servers.size();
  return result;
}

raft_core_message to_core(member_id from, const timeout_now& x) {
  auto result = message_of(from, RAFT_CORE_TIMEOUT_NOW, x.term);
  result.index = x.last_index;
  result.index_term = x.last_term;
  return result;
}

raft_message from_core(const raft_core_message& x) {
  switch (x.kind) {
    case RAFT_CORE_APPEND_ENTRIES:
      return append_entries{x.term, x.index, x.index_term, x.commit, {}, 0, 0};
    case RAFT_CORE_APPEND_ENTRIES_RESULT:
      return append_entries_result{x.term,     x.rejected, x.index,
                                   x.features, x.capacity, 0};
    case RAFT_CORE_REQUEST_VOTE:
      return request_vote{x.term, x.index, x.index_term, x.disrupt_leader,
                          x.pre_vote};
    case RAFT_CORE_REQUEST_VOTE_RESULT:
      return request_vote_result{x.term, x.vote_granted, x.pre_vote, x.features,
                                 x.capacity};
    case RAFT_CORE_INSTALL_SNAPSHOT:
      return install_snapshot{x.term, {}};
    default:
      return timeout_now{x.term, x.index, x.index_term};
  }
}

} // namespace troupe

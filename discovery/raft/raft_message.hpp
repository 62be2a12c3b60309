#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <caf/expected.hpp>
#include <caf/meta/type_name.hpp>

#include "discovery/raft/raft_log.hpp"

// Raft's RPCs as they cross the wire (Raft dissertation, Figure 3.1 and 5.3).
// Their place in `raft_message` is part of the encoding.

namespace troupe {

struct append_entries {
  std::uint64_t term = 0;
  std::uint64_t prev_index = 0;
  std::uint64_t prev_term = 0;
  std::uint64_t commit = 0;
  std::vector<log_entry> entries;
  /// The leader's clock when it sent this, in ms.
  std::uint64_t sent_at_ms = 0;
  /// Up to where the receiver has acknowledged the log in this term.
  std::uint64_t acknowledged = 0;
};

struct append_entries_result {
  std::uint64_t term = 0;
  /// Index that did not match, or 0.
  std::uint64_t rejected = 0;
  std::uint64_t last_index = 0;
  std::uint16_t features = 0;
  std::uint16_t capacity = 0;
  /// The latest `sent_at_ms` that came from this term's leader.
  std::uint64_t heard_at_ms = 0;
};

struct request_vote {
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
  std::uint64_t last_term = 0;
  bool disrupt_leader = false;
  bool pre_vote = false;
};

struct request_vote_result {
  std::uint64_t term = 0;
  bool granted = false;
  bool pre_vote = false;
  std::uint16_t features = 0;
  std::uint16_t capacity = 0;
};

struct install_snapshot {
  std::uint64_t term = 0;
  /// Never null in a message that was decoded.
  std::shared_ptr<const log_snapshot> snapshot;
};

struct timeout_now {
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
  std::uint64_t last_term = 0;
};

using raft_message =
  std::variant<append_entries, append_entries_result, request_vote,
               request_vote_result, install_snapshot, timeout_now>;

/// msgpack bytes with a leading version.
std::string encode(const raft_message& what);

/// Reads and checks a peer's message: libraft trusts what it is given, so
/// anything that a correct sender could not have sent is refused here.
/// Errors: corrupt, incompatible (another version).
caf::expected<raft_message> decode_raft_message(std::string_view bytes);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, append_entries& x) {
  return f(caf::meta::type_name("append_entries"), x.term, x.prev_index,
           x.prev_term, x.commit, x.entries, x.sent_at_ms, x.acknowledged);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f,
                                        append_entries_result& x) {
  return f(caf::meta::type_name("append_entries_result"), x.term, x.rejected,
           x.last_index, x.features, x.capacity, x.heard_at_ms);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, request_vote& x) {
  return f(caf::meta::type_name("request_vote"), x.term, x.last_index,
           x.last_term, x.disrupt_leader, x.pre_vote);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, request_vote_result& x) {
  return f(caf::meta::type_name("request_vote_result"), x.term, x.granted,
           x.pre_vote, x.features, x.capacity);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, install_snapshot& x) {
  return f(caf::meta::type_name("install_snapshot"), x.term, x.snapshot);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, timeout_now& x) {
  return f(caf::meta::type_name("timeout_now"), x.term, x.last_index,
           x.last_term);
}

} // namespace troupe

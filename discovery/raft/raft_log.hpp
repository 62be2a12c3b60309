#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/typed_actor.hpp>

#include "messages/ids.hpp"
#include "messages/log_disk.hpp"
#include "messages/status.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// What a log entry holds: libraft's `raft_entry_type`.
enum class entry_kind : std::uint8_t {
  /// An encoded `command`.
  command = 1,
  /// Nothing; commits what earlier leaders left.
  barrier,
  /// A Raft configuration.
  change,
};

/// One entry of the Raft log.
struct log_entry {
  std::uint64_t term = 0;
  entry_kind kind = entry_kind::command;
  std::string bytes;
};

/// A snapshot of the state with the Raft configuration it was taken under.
struct log_snapshot {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  /// As libraft encodes it.
  std::string configuration;
  std::uint64_t configuration_index = 0;
  std::string state;
};

/// Everything a node needs to go on after a restart.
struct log_contents {
  std::uint64_t term = 0;
  member_id voted_for = member_id::none;
  /// Committed as far as was known at the last write; perhaps more since.
  std::uint64_t commit = 0;
  /// That much this log must hold again, or have held: it was acknowledged by
  /// this node, or committed by the others. 0 where that is less than it holds.
  std::uint64_t owed = 0;
  std::optional<log_snapshot> snapshot;
  std::uint64_t first_index = 1;
  std::vector<log_entry> entries;
};

/// Changes to make durable together, in one synced write.
struct log_write {
  std::optional<std::uint64_t> term;
  std::optional<member_id> voted_for;
  /// Committed so far; it lets a restarted node go on from the last state
  /// before it hears of a leader. Written along, never for its own sake.
  std::uint64_t commit = 0;
  /// See `log_contents::owed`; written along, too.
  std::uint64_t owed = 0;
  /// Index of the first of `entries`; whatever stood there or behind goes.
  std::uint64_t first_index = 0;
  std::vector<log_entry> entries;
  /// Replaces the snapshot. Entries up to `drop_below` exclusive go.
  std::shared_ptr<const log_snapshot> snapshot;
  std::uint64_t drop_below = 0;
  /// After an installed snapshot: all entries go.
  bool drop_all_entries = false;
};

struct load_log {};

/// Asks for the small named values kept beside the log.
struct load_meta {};

/// What a node must remember but no log entry says: its `node_id`, its
/// `cluster_name`, and what others store, for example a `pledge`.
struct log_meta {
  std::map<std::string, std::string> values;
};

/// Keeps a named value, durably. An empty value erases it.
struct store_meta {
  std::string name;
  std::string value;
};

/// The log's disk. Detached, because a synced write takes its time; a failed
/// write ends it with `storage_failed`, which is fatal for the node. But where
/// the system has no room, writes wait, unanswered, until it has
/// (docs/decisions/0011).
using raft_log_actor =
  caf::typed_actor<caf::replies_to<load_log>::with<log_contents>,
                   /// Writes that queued up meanwhile are synced as one
                   /// (group commit).
                   caf::replies_to<log_write>::with<done>,
                   caf::replies_to<load_meta>::with<log_meta>,
                   /// Errors: overloaded (no room).
                   caf::replies_to<store_meta>::with<done>,
                   /// To itself: everything before it is to be synced, or
                   /// nothing was written for a while.
                   caf::reacts_to<tick>>::extend_with<status_protocol>;

struct raft_log_config {
  /// Directory of the log; made when it is missing.
  std::filesystem::path path;
  /// Whose log it is. A directory of another node or cluster is refused.
  member_id node = member_id::none;
  std::string cluster_name;
  /// The node took part in a cluster: an empty log is one that was lost, and
  /// with it votes and entries that others count on.
  bool must_exist = false;
  /// Opens a log that lost its end, too: whoever does that knows that it is to
  /// be gone on from less.
  bool takes_lost_end = false;
};

/// Opens the log and checks all of it. Errors: storage_failed (not readable,
/// not writable, in use), corrupt (damaged bytes, a gap, or an end that was
/// durable and is gone), incompatible (a newer format), conflict (another
/// node's or cluster's directory, or a lost log), overloaded (no room on the
/// disk). Each names the directory and what is wrong. `disk` is told how it
/// does.
caf::expected<raft_log_actor>
spawn_raft_log(caf::actor_system& system, const raft_log_config& config,
               log_disk_ptr disk = std::make_shared<log_disk>());

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, log_entry& x) {
  return f(caf::meta::type_name("log_entry"), x.term, x.kind, x.bytes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, log_snapshot& x) {
  return f(caf::meta::type_name("log_snapshot"), x.index, x.term,
           x.configuration, x.configuration_index, x.state);
}

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::log_contents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::log_write)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::load_log)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::load_meta)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::log_meta)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::store_meta)

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

#include "messages/ids.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// One entry of the Raft log. `kind` is libraft's `raft_entry_type`.
struct log_entry {
  std::uint64_t term = 0;
  std::uint8_t kind = 1;
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
  std::optional<log_snapshot> snapshot;
  std::uint64_t first_index = 1;
  std::vector<log_entry> entries;
};

/// Changes to make durable together, in one synced write.
struct log_write {
  std::optional<std::uint64_t> term;
  std::optional<member_id> voted_for;
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

/// The log's disk. Detached, because a synced write takes its time; a failed
/// write ends it with `storage_failed`, which is fatal for the node.
using raft_log_actor =
    caf::typed_actor<caf::replies_to<load_log>::with<log_contents>,
                     /// Writes that queued up meanwhile are synced as one
                     /// (group commit).
                     caf::replies_to<log_write>::with<done>>;

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::log_contents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::log_write)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::load_log)

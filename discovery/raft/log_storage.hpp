#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "discovery/raft/log_mark.hpp"
#include "discovery/raft/raft_log.hpp"

namespace rocksdb {
class DB;
class Iterator;
class Status;
class WriteBatch;
} // namespace rocksdb

namespace troupe {

/// What a log holds, but for the bytes.
struct log_extent {
  std::uint64_t term = 0;
  member_id voted_for = member_id::none;
  std::uint64_t commit = 0;
  std::uint64_t owed = 0;
  /// Stored entries: [first, end).
  std::uint64_t first = 1;
  std::uint64_t end = 1;

  friend bool operator==(const log_extent&, const log_extent&) = default;
};

/// The Raft log in a RocksDB of its own, sized for a node that idles: one small
/// write buffer, few files, no statistics. Every write is synced, and then
/// noted in the mark beside it, `PATH.mark`, so that a log that lost its end is
/// known when it is opened.
class log_storage {
public:
  /// Opens or makes the log and checks all of it. Errors as in
  /// `spawn_raft_log`.
  static caf::expected<log_storage> open(const raft_log_config& config);

  log_storage(log_storage&&) noexcept;
  log_storage& operator=(log_storage&&) noexcept;
  ~log_storage();

  /// Reads everything and checks it. Errors: storage_failed, corrupt.
  caf::expected<log_contents> load();

  /// Makes the writes durable, in order, with one sync. Errors: overloaded (the
  /// system has no room for it: nothing that was durable is in doubt, see
  /// docs/decisions/0011, and `reopen` is next), storage_failed.
  caf::error write(std::span<const log_write> writes);

  /// Closes the log and opens it, after a write that found no room. Errors:
  /// overloaded (still no room; nothing but `reopen` may be called), corrupt
  /// (what was durable is not there), and those of `open`.
  caf::error reopen();

  /// Makes the mark outlive a loss of power; for when nothing else is to be
  /// done. Errors: storage_failed.
  caf::error sync_mark();

  /// What was durable when the log was opened and was not there any more.
  const std::optional<log_mark>& lost_end() const { return lost_end_; }

  /// Keeps a named value; an empty one erases it. Errors: as of `write`.
  caf::error put_meta(const std::string& name, const std::string& value);

  const log_meta& meta() const { return meta_; }

private:
  class room_watch;

  log_storage(raft_log_config config, std::shared_ptr<room_watch> room,
              std::unique_ptr<rocksdb::DB> db, log_mark_file mark);

  caf::error load_record(std::string_view key, std::string_view value,
                         log_contents& contents);
  caf::error check(const log_contents& contents) const;
  caf::error check_mark(const log_contents& contents);
  caf::error write_mark();
  caf::error check_owner();
  caf::error failed(const rocksdb::Status& status) const;
  caf::error no_room(std::string_view lack) const;
  caf::error corrupt(std::string what) const;

  raft_log_config config_;
  std::shared_ptr<room_watch> room_;
  std::unique_ptr<rocksdb::DB> db_;
  log_mark_file mark_;
  std::optional<log_mark> lost_end_;
  log_meta meta_;
  log_extent stored_;
  /// As the last write, which may have failed, was to leave it.
  log_extent intended_;
};

} // namespace troupe

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "discovery/raft/raft_log.hpp"

namespace rocksdb {
class DB;
class Iterator;
class Status;
class WriteBatch;
} // namespace rocksdb

namespace troupe {

/// The Raft log in a RocksDB of its own, sized for a node that idles: one small
/// write buffer, few files, no statistics. Every write is synced.
class log_storage {
public:
  /// Opens or makes the log and checks all of it. Errors as in
  /// `spawn_raft_log`.
  static caf::expected<log_storage> open(const raft_log_config& config);

  log_storage(log_storage&&) noexcept;
  log_storage& operator=(log_storage&&) noexcept;
  ~log_storage();

  /// Reads everything and checks it. Errors: storage_failed, corrupt,
  /// overloaded.
  caf::expected<log_contents> load();

  /// Makes the writes durable, in order, with one sync. Errors:
  /// storage_failed; overloaded when no descriptor is left to open a file with:
  /// nothing is lost then, the same writes may be tried again.
  caf::error write(std::span<const log_write> writes);

  /// Keeps a named value; an empty one erases it. Errors as of `write`.
  caf::error put_meta(const std::string& name, const std::string& value);

  const log_meta& meta() const { return meta_; }

private:
  log_storage(raft_log_config config, std::unique_ptr<rocksdb::DB> db);

  caf::error ensure_open();
  caf::error settle(const rocksdb::Status& status);
  caf::error load_record(std::string_view key, std::string_view value,
                         log_contents& contents);
  caf::error check(const log_contents& contents) const;
  caf::error check_owner(const raft_log_config& config);
  caf::error failed(const rocksdb::Status& status) const;
  caf::error corrupt(std::string what) const;
  void add(rocksdb::WriteBatch& batch, const log_write& write);

  raft_log_config config_;
  // Null after a write for which there was no descriptor: RocksDB takes no more
  // until it is opened anew.
  std::unique_ptr<rocksdb::DB> db_;
  log_meta meta_;
  std::uint64_t term_ = 0;
  member_id voted_for_ = member_id::none;
  std::uint64_t commit_ = 0;
  // Stored entries: [first_, end_).
  std::uint64_t first_ = 1;
  std::uint64_t end_ = 1;
};

} // namespace troupe

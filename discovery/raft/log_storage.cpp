#include "discovery/raft/log_storage.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "discovery/raft/raft_configuration.hpp"
#include "discovery/raft/wal_damage.hpp"
#include "messages/error.hpp"
#include "messages/msgpack.hpp"

namespace troupe {

namespace {

// Keys: "e" and the index (big endian, so that order is by index), "h" for term
// and vote, "m/NAME" for a named value, "s" for the snapshot.
constexpr char entry_prefix = 'e';
constexpr std::string_view hard_state_key = "h";
constexpr std::string_view commit_key = "c";
constexpr std::string_view snapshot_key = "s";
constexpr std::string_view meta_prefix = "m/";

constexpr std::string_view format_name = "format";
constexpr std::string_view format_version = "1";
constexpr std::string_view node_name = "node_id";
constexpr std::string_view cluster_name = "cluster_name";

struct hard_state {
  std::uint64_t term = 0;
  member_id voted_for = member_id::none;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hard_state& x) {
  return f(caf::meta::type_name("hard_state"), x.term, x.voted_for);
}

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string entry_key(std::uint64_t index) {
  std::string key{entry_prefix};
  for (int shift = 56; shift >= 0; shift -= 8)
    key += static_cast<char>(index >> shift);
  return key;
}

std::uint64_t index_of(std::string_view key) {
  std::uint64_t index = 0;
  for (auto byte : key.substr(1))
    index = index << 8 | static_cast<std::uint8_t>(byte);
  return index;
}

/// RocksDB tells EMFILE and ENFILE by the system's text alone.
bool lacks_descriptors(const rocksdb::Status& status) {
  auto text = status.ToString();
  return status.IsIOError()
         && (text.find(std::strerror(EMFILE)) != std::string::npos
             || text.find(std::strerror(ENFILE)) != std::string::npos);
}

rocksdb::Options options() {
  rocksdb::Options result;
  result.create_if_missing = true;
  result.write_buffer_size = 4 << 20;
  result.max_write_buffer_number = 2;
  result.max_total_wal_size = 16 << 20;
  result.max_background_jobs = 2;
  result.max_open_files = 64;
  result.compression = rocksdb::kNoCompression;
  result.stats_dump_period_sec = 0;
  result.stats_persist_period_sec = 0;
  result.info_log_level = rocksdb::WARN_LEVEL;
  result.keep_log_file_num = 2;
  // A torn last write was never acknowledged and is cut off. Any other damage
  // was looked for before.
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  result.track_and_verify_wals_in_manifest = true;
  result.paranoid_checks = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(1 << 20);
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return result;
}

} // namespace

log_storage::log_storage(raft_log_config config,
                         std::unique_ptr<rocksdb::DB> db)
  : config_(std::move(config)), db_(std::move(db)) {
}

log_storage::log_storage(log_storage&&) noexcept = default;
log_storage& log_storage::operator=(log_storage&&) noexcept = default;
log_storage::~log_storage() = default;

caf::expected<log_storage> log_storage::open(const raft_log_config& config) {
  std::error_code failure;
  std::filesystem::create_directories(config.path, failure);
  if (failure)
    return make_error(errc::storage_failed, "raft log " + config.path.string()
                                              + ": " + failure.message());
  if (auto where = find_wal_damage(config.path))
    return make_error(errc::corrupt,
                      "raft log " + config.path.string() + ": "
                        + where->file.string() + " is damaged at offset "
                        + std::to_string(where->offset)
                        + ": the record there does not match its checksum");
  rocksdb::DB* raw = nullptr;
  auto status = rocksdb::DB::Open(options(), config.path.string(), &raw);
  log_storage result{config, std::unique_ptr<rocksdb::DB>{raw}};
  if (!status.ok())
    return result.failed(status);
  auto contents = result.load();
  if (!contents)
    return contents.error();
  if (config.must_exist && contents->term == 0)
    return make_error(
      errc::conflict,
      "raft log " + config.path.string()
        + " is gone, but this node took part in cluster '" + config.cluster_name
        + "' under its id. It must not vote again: move the whole data "
          "directory away, and it joins as a new node");
  if (auto error = result.check_owner(config))
    return error;
  return caf::expected<log_storage>{std::move(result)};
}

caf::error log_storage::ensure_open() {
  if (db_)
    return caf::none;
  auto again = open(config_);
  if (!again)
    return std::move(again.error());
  *this = std::move(*again);
  return caf::none;
}

caf::error log_storage::settle(const rocksdb::Status& status) {
  if (status.ok())
    return caf::none;
  if (lacks_descriptors(status))
    db_.reset();
  return failed(status);
}

caf::expected<log_contents> log_storage::load() {
  if (auto error = ensure_open())
    return error;
  log_contents contents;
  rocksdb::ReadOptions reading;
  reading.verify_checksums = true;
  reading.fill_cache = false;
  std::unique_ptr<rocksdb::Iterator> i{db_->NewIterator(reading)};
  for (i->SeekToFirst(); i->Valid(); i->Next())
    if (auto error = load_record(i->key().ToStringView(),
                                 i->value().ToStringView(), contents))
      return error;
  if (!i->status().ok())
    return failed(i->status());
  if (contents.entries.empty() && contents.snapshot)
    contents.first_index = contents.snapshot->index + 1;
  term_ = contents.term;
  voted_for_ = contents.voted_for;
  commit_ = contents.commit;
  first_ = contents.first_index;
  end_ = first_ + contents.entries.size();
  // A newer format may look like damage: the version decides first.
  auto format = meta_.values.find(std::string{format_name});
  if (format != meta_.values.end() && format->second != format_version)
    return make_error(errc::incompatible, "raft log " + config_.path.string()
                                            + ": format " + format->second
                                            + ", this program reads format "
                                            + std::string{format_version});
  if (auto error = check(contents))
    return error;
  return caf::expected<log_contents>{std::move(contents)};
}

caf::error log_storage::load_record(std::string_view key,
                                    std::string_view value,
                                    log_contents& contents) {
  if (key.starts_with(meta_prefix)) {
    meta_.values[std::string{key.substr(meta_prefix.size())}] = value;
    return caf::none;
  }
  if (key == hard_state_key) {
    hard_state read;
    if (auto mismatch = read_msgpack(value, read))
      return corrupt("term and vote: " + *mismatch);
    contents.term = read.term;
    contents.voted_for = read.voted_for;
    return caf::none;
  }
  if (key == commit_key) {
    if (auto mismatch = read_msgpack(value, contents.commit))
      return corrupt("commit index: " + *mismatch);
    return caf::none;
  }
  if (key == snapshot_key) {
    if (auto mismatch = read_msgpack(value, contents.snapshot.emplace()))
      return corrupt("snapshot: " + *mismatch);
    return caf::none;
  }
  if (key.size() != 9 || key.front() != entry_prefix)
    return corrupt("an unknown record");
  auto index = index_of(key);
  if (contents.entries.empty())
    contents.first_index = index;
  auto expected = contents.first_index + contents.entries.size();
  if (index != expected)
    return corrupt("entries " + std::to_string(expected) + " to "
                   + std::to_string(index - 1) + " are missing");
  if (auto mismatch = read_msgpack(value, contents.entries.emplace_back()))
    return corrupt("entry " + std::to_string(index) + ": " + *mismatch);
  return caf::none;
}

caf::error log_storage::check(const log_contents& contents) const {
  auto& snapshot = contents.snapshot;
  if (snapshot
      && (snapshot->term == 0 || snapshot->term > contents.term
          || !decode_configuration(snapshot->configuration)))
    return corrupt("the snapshot contradicts the log's term "
                   + std::to_string(contents.term));
  auto reach = snapshot ? snapshot->index + 1 : 1;
  if (contents.first_index > reach || contents.first_index == 0)
    return corrupt("entries " + std::to_string(reach) + " to "
                   + std::to_string(contents.first_index - 1) + " are missing");
  if (snapshot && end_ < reach)
    return corrupt("entries end before the snapshot at "
                   + std::to_string(snapshot->index));
  if (!snapshot && !contents.entries.empty()
      && contents.entries.front().kind != entry_kind::change)
    return corrupt("entry 1 is no configuration");
  std::uint64_t term = 1;
  auto index = contents.first_index;
  for (auto& entry : contents.entries) {
    if (entry.term < term || entry.term > contents.term)
      return corrupt("entry " + std::to_string(index) + " has term "
                     + std::to_string(entry.term) + " out of order");
    term = entry.term;
    auto known = entry.kind == entry_kind::command
                 || entry.kind == entry_kind::barrier
                 || (entry.kind == entry_kind::change
                     && decode_configuration(entry.bytes));
    if (!known)
      return corrupt("entry " + std::to_string(index)
                     + " is of an unknown kind");
    ++index;
  }
  return caf::none;
}

caf::error log_storage::check_owner(const raft_log_config& config) {
  const std::pair<std::string_view, std::string> expected[] = {
    {format_name, std::string{format_version}},
    {node_name, to_string(config.node)},
    {cluster_name, config.cluster_name},
  };
  for (auto& [name, value] : expected) {
    auto i = meta_.values.find(std::string{name});
    if (i == meta_.values.end()) {
      if (auto error = put_meta(std::string{name}, value))
        return error;
    } else if (i->second != value) {
      return make_error(errc::conflict, "raft log " + config_.path.string()
                                          + " belongs to " + std::string{name}
                                          + " '" + i->second + "', not to '"
                                          + value + "'");
    }
  }
  return caf::none;
}

caf::error log_storage::write(std::span<const log_write> writes) {
  if (auto error = ensure_open())
    return error;
  rocksdb::WriteBatch batch;
  for (auto& write : writes)
    add(batch, write);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return settle(db_->Write(synced, &batch));
}

void log_storage::add(rocksdb::WriteBatch& batch, const log_write& write) {
  if (write.term || write.voted_for) {
    term_ = write.term.value_or(term_);
    voted_for_ = write.voted_for.value_or(voted_for_);
    batch.Put(slice(hard_state_key),
              write_msgpack(hard_state{term_, voted_for_}));
  }
  if (write.commit > commit_) {
    commit_ = write.commit;
    batch.Put(slice(commit_key), write_msgpack(commit_));
  }
  if (write.snapshot) {
    batch.Put(slice(snapshot_key), write_msgpack(*write.snapshot));
    auto drop_to =
      write.drop_all_entries ? end_ : std::min(write.drop_below, end_);
    for (; first_ < drop_to; ++first_)
      batch.Delete(entry_key(first_));
    if (write.drop_all_entries)
      first_ = end_ = write.snapshot->index + 1;
  }
  if (write.entries.empty())
    return;
  for (auto index = write.first_index + write.entries.size(); index < end_;
       ++index)
    batch.Delete(entry_key(index));
  auto index = write.first_index;
  for (auto& entry : write.entries)
    batch.Put(entry_key(index++), write_msgpack(entry));
  end_ = index;
}

caf::error log_storage::put_meta(const std::string& name,
                                 const std::string& value) {
  if (auto error = ensure_open())
    return error;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  auto key = std::string{meta_prefix} + name;
  auto status =
    value.empty() ? db_->Delete(synced, key) : db_->Put(synced, key, value);
  if (auto error = settle(status))
    return error;
  if (value.empty())
    meta_.values.erase(name);
  else
    meta_.values[name] = value;
  return caf::none;
}

caf::error log_storage::failed(const rocksdb::Status& status) const {
  auto text = "raft log " + config_.path.string() + ": " + status.ToString();
  // Of a damaged table RocksDB tells file and offset itself.
  if (status.IsCorruption())
    return make_error(errc::corrupt, std::move(text));
  if (lacks_descriptors(status))
    return make_error(errc::overloaded, std::move(text));
  if (status.IsNoSpace())
    text += " (the disk is full)";
  return make_error(errc::storage_failed, std::move(text));
}

caf::error log_storage::corrupt(std::string what) const {
  return make_error(errc::corrupt, "raft log " + config_.path.string() + ": "
                                     + std::move(what));
}

} // namespace troupe

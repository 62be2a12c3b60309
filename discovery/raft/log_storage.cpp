#include "discovery/raft/log_storage.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "discovery/raft/raft_configuration.hpp"
#include "discovery/raft/rocksdb_messages.hpp"
#include "discovery/raft/wal_damage.hpp"
#include "messages/error.hpp"
#include "messages/msgpack.hpp"

namespace troupe {

namespace {

// Keys: "e" and the index (big endian, so that order is by index), "h" for term
// and vote, "c" for the commit index, "o" for what is owed, "m/NAME" for a
// named value, "s" for the snapshot.
constexpr char entry_prefix = 'e';
constexpr std::string_view hard_state_key = "h";
constexpr std::string_view commit_key = "c";
constexpr std::string_view owed_key = "o";
constexpr std::string_view snapshot_key = "s";
constexpr std::string_view meta_prefix = "m/";

/// Between two looks whether a flush has made room in memory.
constexpr std::chrono::milliseconds flush_pause{2};

constexpr std::string_view format_name = "format";
constexpr std::string_view format_version = "1";
constexpr std::string_view node_name = "node_id";
constexpr std::string_view cluster_name = "cluster_name";

/// What to do about it.
constexpr const char* without_its_end =
  "The node must not vote with it: move the whole data directory away, and it "
  "joins as a new node. If no other node is left, see docs/recovery.md";

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
  result.info_log = take_rocksdb_messages();
  // A torn last write is cut off. Any other damage was looked for before, and
  // whether it had been acknowledged the mark tells.
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  result.track_and_verify_wals_in_manifest = true;
  result.paranoid_checks = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(1 << 20);
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return result;
}

/// What the system has no room for: blocks or quota of a file, or one more open
/// file; empty for any other failure. It refused before it wrote, so nothing
/// that was durable is in doubt; of a write that fails in any other way nobody
/// knows what it did to the pages.
std::string_view lack_of_room(const rocksdb::Status& status) {
  if (status.IsNoSpace())
    return "the disk is full";
  if (!status.IsIOError())
    return {};
  auto text = status.ToString();
  auto says = [&](int code) {
    return text.find(std::generic_category().message(code))
           != std::string::npos;
  };
  if (says(EDQUOT))
    return "the disk's quota is used up";
  if (says(EMFILE) || says(ENFILE))
    return "no more files can be opened";
  return {};
}

/// Adds a change to a batch and to the extent of a log that it changes.
void add(rocksdb::WriteBatch& batch, log_extent& log, const log_write& write) {
  if (write.term || write.voted_for) {
    log.term = write.term.value_or(log.term);
    log.voted_for = write.voted_for.value_or(log.voted_for);
    batch.Put(slice(hard_state_key),
              write_msgpack(hard_state{log.term, log.voted_for}));
  }
  if (write.commit > log.commit) {
    log.commit = write.commit;
    batch.Put(slice(commit_key), write_msgpack(log.commit));
  }
  if (write.owed != log.owed) {
    log.owed = write.owed;
    batch.Put(slice(owed_key), write_msgpack(log.owed));
  }
  if (write.snapshot) {
    batch.Put(slice(snapshot_key), write_msgpack(*write.snapshot));
    auto drop_to =
      write.drop_all_entries ? log.end : std::min(write.drop_below, log.end);
    for (; log.first < drop_to; ++log.first)
      batch.Delete(entry_key(log.first));
    if (write.drop_all_entries)
      log.first = log.end = write.snapshot->index + 1;
  }
  if (write.entries.empty())
    return;
  for (auto index = write.first_index + write.entries.size(); index < log.end;
       ++index)
    batch.Delete(entry_key(index));
  auto index = write.first_index;
  for (auto& entry : write.entries)
    batch.Put(entry_key(index++), write_msgpack(entry));
  log.end = index;
}

} // namespace

/// Told by RocksDB when its own threads find no room: writes then wait inside
/// of it, for as long as it takes, because it can't flush what is in memory.
class log_storage::room_watch final : public rocksdb::EventListener {
public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason,
                         rocksdb::Status* error) override {
    if (!lack_of_room(*error).empty())
      lack_ = lack_of_room(*error).data();
  }

  /// Empty: none so far.
  std::string_view lack() const { return lack_.load(); }

private:
  std::atomic<const char*> lack_ = "";
};

log_storage::log_storage(raft_log_config config,
                         std::shared_ptr<room_watch> room,
                         std::unique_ptr<rocksdb::DB> db, log_mark_file mark)
  : config_(std::move(config)), room_(std::move(room)), db_(std::move(db)),
    mark_(std::move(mark)) {
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
  auto mark = log_mark_file::open(config.path.string() + ".mark");
  if (!mark)
    return std::move(mark.error());
  auto room = std::make_shared<room_watch>();
  auto settings = options();
  settings.listeners.push_back(room);
  rocksdb::DB* raw = nullptr;
  auto status = rocksdb::DB::Open(settings, config.path.string(), &raw);
  log_storage result{config, room, std::unique_ptr<rocksdb::DB>{raw},
                     std::move(*mark)};
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
  auto lost = result.check_mark(*contents);
  if (lost && !config.takes_lost_end)
    return lost;
  if (auto error = result.check_owner())
    return error;
  // Who goes on from less marks that with its first write.
  if (!lost)
    if (auto error = result.write_mark())
      return error;
  return caf::expected<log_storage>{std::move(result)};
}

caf::error log_storage::check_mark(const log_contents& contents) {
  auto& mark = mark_.last();
  if (!mark) {
    if (contents.term == 0)
      return caf::none;
    return make_error(
      errc::corrupt, "raft log " + config_.path.string() + ": "
                       + config_.path.string()
                       + ".mark is gone, which tells whether the log is whole. "
                       + without_its_end);
  }
  if (db_->GetLatestSequenceNumber() >= mark->sequence)
    return caf::none;
  lost_end_ = mark;
  return make_error(errc::corrupt,
                    "raft log " + config_.path.string()
                      + " has lost its end: it holds entries up to "
                      + std::to_string(stored_.end - 1) + " and term "
                      + std::to_string(contents.term) + ", but entry "
                      + std::to_string(mark->last_index) + " and term "
                      + std::to_string(mark->term)
                      + " were durable, and others may count on them. "
                      + without_its_end);
}

caf::error log_storage::write_mark() {
  return mark_.write(
    {db_->GetLatestSequenceNumber(), stored_.term, stored_.end - 1});
}

caf::error log_storage::sync_mark() {
  return mark_.sync();
}

caf::expected<log_contents> log_storage::load() {
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
  stored_ = intended_ = {
    contents.term,        contents.voted_for,
    contents.commit,      contents.owed,
    contents.first_index, contents.first_index + contents.entries.size()};
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
  if (key == owed_key) {
    if (auto mismatch = read_msgpack(value, contents.owed))
      return corrupt("what is owed: " + *mismatch);
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
  if (snapshot && stored_.end < reach)
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

caf::error log_storage::check_owner() {
  const std::pair<std::string_view, std::string> expected[] = {
    {format_name, std::string{format_version}},
    {node_name, to_string(config_.node)},
    {cluster_name, config_.cluster_name},
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
  rocksdb::WriteBatch batch;
  intended_ = stored_;
  for (auto& write : writes)
    add(batch, intended_, write);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  // Where it would wait for a flush it says so, and is asked again.
  synced.no_slowdown = true;
  auto status = db_->Write(synced, &batch);
  while (status.IsIncomplete()) {
    if (auto lack = room_->lack(); !lack.empty())
      return no_room(lack);
    std::this_thread::sleep_for(flush_pause);
    status = db_->Write(synced, &batch);
  }
  if (!status.ok())
    return failed(status);
  stored_ = intended_;
  return write_mark();
}

caf::error log_storage::reopen() {
  db_.reset();
  auto again = open(config_);
  if (!again)
    return std::move(again.error());
  if (again->stored_ != stored_ && again->stored_ != intended_)
    return corrupt("what was durable is gone after the disk was full");
  *this = std::move(*again);
  return caf::none;
}

caf::error log_storage::put_meta(const std::string& name,
                                 const std::string& value) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  auto key = std::string{meta_prefix} + name;
  auto status =
    value.empty() ? db_->Delete(synced, key) : db_->Put(synced, key, value);
  if (!status.ok())
    return failed(status);
  if (value.empty())
    meta_.values.erase(name);
  else
    meta_.values[name] = value;
  return write_mark();
}

caf::error log_storage::failed(const rocksdb::Status& status) const {
  if (auto lack = lack_of_room(status); !lack.empty())
    return no_room(lack);
  auto text = "raft log " + config_.path.string() + ": " + status.ToString();
  // Of a damaged table RocksDB tells file and offset itself.
  if (status.IsCorruption())
    return make_error(errc::corrupt, std::move(text));
  return make_error(errc::storage_failed, std::move(text));
}

caf::error log_storage::no_room(std::string_view lack) const {
  return make_error(errc::overloaded, "raft log " + config_.path.string() + ": "
                                        + std::string{lack});
}

caf::error log_storage::corrupt(std::string what) const {
  return make_error(errc::corrupt, "raft log " + config_.path.string() + ": "
                                     + std::move(what));
}

} // namespace troupe

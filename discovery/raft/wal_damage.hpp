#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace troupe {

/// Where bytes are not what was written.
struct wal_damage {
  std::filesystem::path file;
  /// Of the first record that does not match its checksum, in bytes.
  std::uint64_t offset = 0;
};

/// Looks for the first damaged record of RocksDB's write-ahead logs in a
/// directory that is followed by a write which came later. What is damaged at
/// the end of a log was being written and never acknowledged, if each write is
/// synced before the next.
///
/// RocksDB itself takes some damage for the log's end, silently, and drops what
/// follows: a length, a type or a whole header that is wrong. The format is
/// that of
/// https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format.
std::optional<wal_damage>
find_wal_damage(const std::filesystem::path& directory);

} // namespace troupe

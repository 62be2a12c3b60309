#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "messages/ids.hpp"

namespace troupe {

/// What was durable for certain when it was written: a log that holds less has
/// lost its end.
struct log_mark {
  /// Of RocksDB: it grows with each write, whatever that held.
  std::uint64_t sequence = 0;
  /// For people.
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;

  bool operator==(const log_mark&) const = default;
};

/// The mark in a file beside the log. It is written after each synced write of
/// the log, and synced itself when nothing else is to be done: what it says is
/// true at any time, and the latest as long as the machine runs.
///
/// The file has two places that are written in turn, each with a checksum, so a
/// torn or damaged one leaves the other.
class log_mark_file {
public:
  /// Opens the file, or makes it. Errors: overloaded (no room for it, or no
  /// descriptor), storage_failed, corrupt (neither place can be read).
  static caf::expected<log_mark_file> open(const std::filesystem::path& file);

  log_mark_file(log_mark_file&& other) noexcept;
  log_mark_file& operator=(log_mark_file&& other) noexcept;
  ~log_mark_file();

  /// The last mark; nothing in a new file.
  const std::optional<log_mark>& last() const { return last_; }

  /// Takes no sync and little time. Errors: storage_failed.
  caf::error write(const log_mark& what);

  /// Makes the last mark outlive a loss of power. Errors: storage_failed.
  caf::error sync();

private:
  log_mark_file(std::filesystem::path file, int descriptor);

  caf::error read();
  caf::error failed(const char* what) const;

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::optional<log_mark> last_;
  /// How many marks were written; the next one goes to the other place.
  std::uint64_t generation_ = 0;
};

} // namespace troupe

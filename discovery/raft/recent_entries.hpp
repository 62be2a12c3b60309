#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "discovery/raft/raft_log.hpp"

namespace troupe {

/// The log's tail in memory: what is not in the snapshot, and the trailing
/// entries that spare a follower a snapshot. Indexes are contiguous.
class recent_entries {
public:
  /// Forgets everything; the next entry has index `first`.
  void reset(std::uint64_t first) {
    first_ = first;
    entries_.clear();
    bytes_ = 0;
  }

  std::uint64_t first_index() const { return first_; }
  std::uint64_t last_index() const { return first_ + entries_.size() - 1; }
  std::size_t size() const { return entries_.size(); }

  /// Payload bytes held.
  std::size_t bytes() const { return bytes_; }

  /// The entry at `index`, or null.
  const log_entry* at(std::uint64_t index) const {
    return index < first_ || index > last_index() ? nullptr
                                                  : &entries_[index - first_];
  }

  void append(log_entry entry) {
    bytes_ += entry.bytes.size();
    entries_.push_back(std::move(entry));
  }

  /// Drops `index` and everything behind it.
  void truncate(std::uint64_t index) {
    while (!entries_.empty() && last_index() >= index) {
      bytes_ -= entries_.back().bytes.size();
      entries_.pop_back();
    }
  }

  /// Drops everything up to `index`.
  void drop_through(std::uint64_t index) {
    while (!entries_.empty() && first_ <= index) {
      bytes_ -= entries_.front().bytes.size();
      entries_.pop_front();
      ++first_;
    }
  }

private:
  std::uint64_t first_ = 1;
  std::size_t bytes_ = 0;
  std::deque<log_entry> entries_;
};

} // namespace troupe

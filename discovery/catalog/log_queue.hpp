#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "discovery/raft/raft_engine.hpp"
#include "discovery/raft/raft_log.hpp"

namespace troupe {

/// The writes that the log was given and has not confirmed. Pure.
class log_queue {
public:
  void push(std::uint64_t id, const log_write& write, raft_time now) {
    auto size = sizeof(log_write);
    if (write.snapshot)
      size += write.snapshot->state.size();
    for (auto& entry : write.entries)
      size += sizeof(log_entry) + entry.bytes.size();
    bytes_ += size;
    writes_.push_back({id, size, now});
  }

  /// All up to `id` are durable.
  void confirmed(std::uint64_t id) {
    for (; !writes_.empty() && writes_.front().id <= id; writes_.pop_front())
      bytes_ -= writes_.front().bytes;
  }

  /// Since when the oldest waits.
  std::optional<raft_time> waiting_since() const {
    return writes_.empty() ? std::nullopt
                           : std::optional{writes_.front().since};
  }

  /// Memory of what waits.
  std::uint64_t bytes() const { return bytes_; }

private:
  struct waiting {
    std::uint64_t id;
    std::uint64_t bytes;
    raft_time since;
  };

  std::deque<waiting> writes_;
  std::uint64_t bytes_ = 0;
};

} // namespace troupe

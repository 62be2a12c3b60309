#pragma once

#include <chrono>
#include <memory>

#include "discovery/raft/raft_log.hpp"

namespace troupe {

/// What a `memory_log` has made durable; outlives the log, as a disk outlives
/// a process.
struct memory_disk {
  log_contents contents;
  log_meta meta;
  /// How long a synced write takes. Writes that queue up meanwhile are synced
  /// together; those in the queue are lost when the log is killed.
  std::chrono::milliseconds latency{0};
  enum class condition {
    well,
    /// The next write fails, and the log ends.
    broken,
    /// Writes wait until there is room, and `watch` is told so.
    full,
    /// Writes wait, and nobody is told.
    hung,
  };
  condition is = condition::well;
  log_disk_ptr watch = std::make_shared<log_disk>();
};

/// Does to `contents` what the disk does.
void apply_write(log_contents& contents, log_write write);

/// A Raft log without a file.
raft_log_actor spawn_memory_log(caf::actor_system& system,
                                std::shared_ptr<memory_disk> disk);

} // namespace troupe

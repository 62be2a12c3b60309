#include "tests/support/memory_log.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "messages/error.hpp"

namespace troupe {

namespace {

struct memory_log_state {
  static inline const char* name = "memory_log";

  std::vector<std::pair<log_write, caf::typed_response_promise<done>>> queue;
};

using memory_log_pointer = raft_log_actor::stateful_pointer<memory_log_state>;

/// Between two tries of what waits for a disk in trouble.
constexpr std::chrono::milliseconds retry_interval{10};

void carry_out(memory_log_pointer self, memory_disk& disk) {
  using condition = memory_disk::condition;
  disk.watch->set_refusal(disk.is == condition::full ? "the disk is full" : "");
  if (disk.is == condition::full || disk.is == condition::hung) {
    self->delayed_send(self, retry_interval, tick{});
    return;
  }
  for (auto& [write, promise] : std::exchange(self->state.queue, {})) {
    if (disk.is == condition::broken) {
      auto error = make_error(errc::storage_failed, "the disk is broken");
      promise.deliver(error);
      self->quit(std::move(error));
      continue;
    }
    apply_write(disk.contents, std::move(write));
    promise.deliver(done{});
  }
}

} // namespace

void apply_write(log_contents& contents, log_write write) {
  contents.term = write.term.value_or(contents.term);
  contents.voted_for = write.voted_for.value_or(contents.voted_for);
  contents.commit = std::max(contents.commit, write.commit);
  contents.owed = write.owed;
  auto& entries = contents.entries;
  if (write.snapshot) {
    contents.snapshot = *write.snapshot;
    if (write.drop_all_entries) {
      entries.clear();
      contents.first_index = write.snapshot->index + 1;
    } else if (write.drop_below > contents.first_index) {
      auto count = write.drop_below - contents.first_index;
      entries.erase(entries.begin(),
                    entries.begin() + static_cast<std::ptrdiff_t>(count));
      contents.first_index = write.drop_below;
    }
  }
  if (write.entries.empty())
    return;
  entries.resize(write.first_index - contents.first_index);
  for (auto& entry : write.entries)
    entries.push_back(std::move(entry));
}

raft_log_actor spawn_memory_log(caf::actor_system& system,
                                std::shared_ptr<memory_disk> disk) {
  return system.spawn(
    [disk](memory_log_pointer self) -> raft_log_actor::behavior_type {
      return {
        [=](load_log) { return disk->contents; },
        [=](log_write& write) -> caf::result<done> {
          auto& queue = self->state.queue;
          auto promise = self->make_response_promise<done>();
          queue.emplace_back(std::move(write), promise);
          if (queue.size() == 1) {
            if (disk->latency.count() == 0)
              self->send(self, tick{});
            else
              self->delayed_send(self, disk->latency, tick{});
          }
          return promise;
        },
        [=](load_meta) { return disk->meta; },
        [=](const store_meta& x) {
          disk->meta.values[x.name] = x.value;
          return done{};
        },
        [=](get_status) {
          return actor_status{memory_log_state::name, {}};
        },
        [=](tick) { carry_out(self, *disk); },
      };
    });
}

} // namespace troupe

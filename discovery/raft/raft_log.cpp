#include "discovery/raft/raft_log.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "discovery/raft/log_storage.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

/// The mark is synced once nothing was written for so long.
constexpr std::chrono::milliseconds quiet_time{200};

using promise = caf::typed_response_promise<done>;

/// Between two looks whether there is room.
constexpr std::chrono::milliseconds room_interval{500};

struct raft_log_state {
  static inline const char* name = "raft_log";

  std::optional<log_storage> storage;
  log_disk_ptr disk;
  std::vector<log_write> batch;
  std::vector<promise> waiting;
  /// The disk has no room: since when.
  std::optional<log_disk::clock::time_point> no_room_since;
  log_disk::clock::time_point retry_at{};
  /// Who asked for the contents meanwhile.
  std::vector<caf::typed_response_promise<log_contents>> readers;
  std::uint64_t writes = 0;
  std::uint64_t syncs = 0;
  /// What `syncs` was when the mark's sync was set, or 0.
  std::uint64_t mark_due_after = 0;

  actor_status status() const {
    return {name,
            {{"writes", std::to_string(writes)},
             {"syncs", std::to_string(syncs)},
             {"waiting", std::to_string(waiting.size())},
             {"lacks", disk->refusal()}}};
  }
};

using raft_log_pointer = raft_log_actor::stateful_pointer<raft_log_state>;

bool is_lack_of_room(const caf::error& problem) {
  return describe(problem).code == errc::overloaded;
}

void fail(raft_log_pointer self, caf::error error) {
  spdlog::critical("{}", describe(error).detail);
  for (auto& each : std::exchange(self->state.waiting, {}))
    each.deliver(error);
  self->quit(std::move(error));
}

/// The batch stays; nobody was told that it is durable.
void wait_for_room(raft_log_pointer self, const caf::error& lack) {
  auto& st = self->state;
  if (!st.no_room_since) {
    st.no_room_since = log_disk::clock::now();
    spdlog::error("{}; {} writes wait until there is room",
                  describe(lack).detail, st.waiting.size());
    st.disk->set_refusal(describe(lack).detail);
  }
  st.retry_at = log_disk::clock::now() + room_interval;
  self->delayed_send(self, room_interval, tick{});
}

void found_room(raft_log_pointer self) {
  auto& st = self->state;
  if (!st.no_room_since)
    return;
  auto waited = log_disk::clock::now() - *st.no_room_since;
  st.no_room_since.reset();
  st.disk->set_refusal({});
  spdlog::warn(
    "raft_log: there is room again, after {} ms",
    std::chrono::duration_cast<std::chrono::milliseconds>(waited).count());
}

void await_quiet(raft_log_pointer self);

/// Writes what queued up, with one sync, and answers all of it.
void flush(raft_log_pointer self) {
  auto& st = self->state;
  if (st.batch.empty())
    return;
  auto began = log_disk::clock::now();
  if (auto error = st.storage->write(st.batch)) {
    if (is_lack_of_room(error))
      wait_for_room(self, error);
    else
      fail(self, std::move(error));
    return;
  }
  found_room(self);
  st.disk->wrote(log_disk::clock::now() - began);
  st.batch.clear();
  st.writes += st.waiting.size();
  ++st.syncs;
  for (auto& each : std::exchange(st.waiting, {}))
    each.deliver(done{});
  await_quiet(self);
}

void await_quiet(raft_log_pointer self) {
  auto& st = self->state;
  if (st.mark_due_after != 0)
    return;
  st.mark_due_after = st.syncs;
  self->delayed_send(self, quiet_time, tick{});
}

/// Syncs the mark, unless more was written since it became due.
void on_quiet(raft_log_pointer self) {
  auto& st = self->state;
  auto due_after = std::exchange(st.mark_due_after, 0);
  if (due_after == 0)
    return;
  if (due_after != st.syncs)
    return await_quiet(self);
  if (auto error = st.storage->sync_mark())
    fail(self, std::move(error));
}

caf::expected<log_contents> contents(raft_log_pointer self) {
  return self->state.storage->load();
}

/// What a disk without room left undone. The log is opened anew, so that what
/// it goes on from was read from the disk.
void try_again(raft_log_pointer self) {
  auto& st = self->state;
  if (auto error = st.storage->reopen()) {
    if (is_lack_of_room(error))
      wait_for_room(self, error);
    else
      fail(self, std::move(error));
    return;
  }
  if (st.batch.empty())
    found_room(self);
  else
    flush(self);
  if (st.no_room_since)
    return;
  for (auto& each : std::exchange(st.readers, {})) {
    auto result = contents(self);
    if (result)
      each.deliver(std::move(*result));
    else
      each.deliver(std::move(result.error()));
  }
}

raft_log_actor::behavior_type raft_log(raft_log_pointer self,
                                       std::shared_ptr<log_storage> storage,
                                       log_disk_ptr disk) {
  outlive_strays(self);
  self->state.storage.emplace(std::move(*storage));
  self->state.disk = std::move(disk);
  self->state.disk->set_refusal({});
  return {
    [=](load_log) -> caf::result<log_contents> {
      auto& st = self->state;
      if (!st.no_room_since)
        flush(self);
      if (st.no_room_since)
        return st.readers.emplace_back(
          self->make_response_promise<log_contents>());
      auto result = contents(self);
      if (!result)
        return result.error();
      return std::move(*result);
    },
    [=](log_write& write) -> caf::result<done> {
      auto& st = self->state;
      // This message queues behind the writes that are waiting already.
      if (st.batch.empty() && !st.no_room_since)
        self->send(self, tick{});
      st.batch.push_back(std::move(write));
      return st.waiting.emplace_back(self->make_response_promise<done>());
    },
    [=](load_meta) { return self->state.storage->meta(); },
    [=](const store_meta& x) -> caf::result<done> {
      auto& st = self->state;
      if (st.no_room_since)
        return make_error(errc::overloaded, st.disk->refusal());
      if (auto error = st.storage->put_meta(x.name, x.value))
        return error;
      return done{};
    },
    [=](tick) {
      auto& st = self->state;
      if (st.no_room_since) {
        // The mark's sync is set anew with the next write.
        st.mark_due_after = 0;
        if (log_disk::clock::now() >= st.retry_at)
          try_again(self);
      } else if (st.batch.empty()) {
        on_quiet(self);
      } else {
        flush(self);
      }
    },
    [=](get_status) { return self->state.status(); },
  };
}

} // namespace

caf::expected<raft_log_actor> spawn_raft_log(caf::actor_system& system,
                                             const raft_log_config& config,
                                             log_disk_ptr disk) {
  auto storage = log_storage::open(config);
  if (!storage)
    return storage.error();
  return system.spawn<caf::detached>(
    raft_log, std::make_shared<log_storage>(std::move(*storage)),
    std::move(disk));
}

} // namespace troupe

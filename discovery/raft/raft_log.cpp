#include "discovery/raft/raft_log.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "discovery/raft/log_storage.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

using promise = caf::typed_response_promise<done>;

struct raft_log_state {
  static inline const char* name = "raft_log";

  std::optional<log_storage> storage;
  std::vector<log_write> batch;
  std::vector<promise> waiting;
  std::uint64_t writes = 0;
  std::uint64_t syncs = 0;

  actor_status status() const {
    return {name,
            {{"writes", std::to_string(writes)},
             {"syncs", std::to_string(syncs)},
             {"waiting", std::to_string(waiting.size())}}};
  }
};

using raft_log_pointer = raft_log_actor::stateful_pointer<raft_log_state>;

/// Writes what queued up, with one sync, and answers all of it.
void flush(raft_log_pointer self) {
  auto& st = self->state;
  if (st.batch.empty())
    return;
  auto waiting = std::exchange(st.waiting, {});
  st.writes += waiting.size();
  ++st.syncs;
  if (auto error = st.storage->write(std::exchange(st.batch, {}))) {
    spdlog::critical("{}", describe(error).detail);
    for (auto& each : waiting)
      each.deliver(error);
    self->quit(std::move(error));
    return;
  }
  for (auto& each : waiting)
    each.deliver(done{});
}

raft_log_actor::behavior_type raft_log(raft_log_pointer self,
                                       std::shared_ptr<log_storage> storage) {
  outlive_strays(self);
  self->state.storage.emplace(std::move(*storage));
  return {
    [=](load_log) -> caf::result<log_contents> {
      flush(self);
      auto contents = self->state.storage->load();
      if (!contents)
        return contents.error();
      return std::move(*contents);
    },
    [=](log_write& write) -> caf::result<done> {
      auto& st = self->state;
      // This message queues behind the writes that are waiting already.
      if (st.batch.empty())
        self->send(self, tick{});
      st.batch.push_back(std::move(write));
      return st.waiting.emplace_back(self->make_response_promise<done>());
    },
    [=](load_meta) { return self->state.storage->meta(); },
    [=](const store_meta& x) -> caf::result<done> {
      if (auto error = self->state.storage->put_meta(x.name, x.value))
        return error;
      return done{};
    },
    [=](tick) { flush(self); },
    [=](get_status) { return self->state.status(); },
  };
}

} // namespace

caf::expected<raft_log_actor> spawn_raft_log(caf::actor_system& system,
                                             const raft_log_config& config) {
  auto storage = log_storage::open(config);
  if (!storage)
    return storage.error();
  return system.spawn<caf::detached>(
    raft_log, std::make_shared<log_storage>(std::move(*storage)));
}

} // namespace troupe

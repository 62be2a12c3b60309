#include "discovery/raft/raft_log.hpp"

#include <algorithm>
#include <chrono>
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

using write_promise = caf::typed_response_promise<done>;
using load_promise = caf::typed_response_promise<log_contents>;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{50};
constexpr milliseconds longest_pause{1000};

struct raft_log_state {
  static inline const char* name = "raft_log";

  std::optional<log_storage> storage;
  /// What is to be done with the next tick: first all writes, then all reads.
  std::vector<log_write> batch;
  std::vector<write_promise> waiting;
  std::vector<load_promise> loads;
  bool tick_comes = false;
  std::uint64_t writes = 0;
  std::uint64_t syncs = 0;
  /// Attempts in a row for which there was no descriptor.
  std::uint64_t attempts_without_descriptors = 0;
  milliseconds pause = first_pause;

  /// The writes that queued up, with one sync, then the reads behind them.
  caf::error work() {
    if (!batch.empty()) {
      if (auto error = storage->write(batch))
        return error;
      ++syncs;
      writes += batch.size();
      batch.clear();
      for (auto& each : std::exchange(waiting, {}))
        each.deliver(done{});
    }
    while (!loads.empty()) {
      auto contents = storage->load();
      if (!contents)
        return std::move(contents.error());
      loads.back().deliver(std::move(*contents));
      loads.pop_back();
    }
    return caf::none;
  }

  void refuse_all(const caf::error& why) {
    for (auto& each : std::exchange(waiting, {}))
      each.deliver(why);
    for (auto& each : std::exchange(loads, {}))
      each.deliver(why);
  }

  actor_status status() const {
    return {name,
            {{"writes", std::to_string(writes)},
             {"syncs", std::to_string(syncs)},
             {"waiting", std::to_string(waiting.size())},
             {"lacks", attempts_without_descriptors > 0 ? "descriptors" : ""}}};
  }
};

using raft_log_pointer = raft_log_actor::stateful_pointer<raft_log_state>;

/// Has the queue worked off behind the messages that wait already.
void plan_work(raft_log_pointer self, milliseconds pause = {}) {
  if (std::exchange(self->state.tick_comes, true))
    return;
  if (pause.count() > 0)
    self->delayed_send(self, pause, tick{});
  else
    self->send(self, tick{});
}

/// Descriptors come back when others close theirs: until then writes wait, as
/// on a slow disk, and the node lives.
void wait_for_descriptors(raft_log_pointer self, const caf::error& why) {
  auto& st = self->state;
  if (++st.attempts_without_descriptors == 1)
    spdlog::error("{}: writes wait until descriptors are free; raise the "
                  "process's limit (ulimit -n, LimitNOFILE)",
                  describe(why).detail);
  plan_work(self,
            std::exchange(st.pause, std::min(2 * st.pause, longest_pause)));
}

void work(raft_log_pointer self) {
  auto& st = self->state;
  st.tick_comes = false;
  auto error = st.work();
  if (!error) {
    if (auto attempts = std::exchange(st.attempts_without_descriptors, 0))
      spdlog::info("the raft log goes on after {} attempts without descriptors",
                   attempts);
    st.pause = first_pause;
  } else if (describe(error).code == errc::overloaded) {
    wait_for_descriptors(self, error);
  } else {
    spdlog::critical("{}", describe(error).detail);
    st.refuse_all(error);
    self->quit(std::move(error));
  }
}

raft_log_actor::behavior_type raft_log(raft_log_pointer self,
                                       std::shared_ptr<log_storage> storage) {
  outlive_strays(self);
  self->state.storage.emplace(std::move(*storage));
  return {
    [=](load_log) -> caf::result<log_contents> {
      plan_work(self);
      return self->state.loads.emplace_back(
        self->make_response_promise<log_contents>());
    },
    [=](log_write& write) -> caf::result<done> {
      plan_work(self);
      auto& st = self->state;
      st.batch.push_back(std::move(write));
      return st.waiting.emplace_back(self->make_response_promise<done>());
    },
    [=](load_meta) { return self->state.storage->meta(); },
    [=](const store_meta& x) -> caf::result<done> {
      if (auto error = self->state.storage->put_meta(x.name, x.value))
        return error;
      return done{};
    },
    [=](tick) { work(self); },
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

#include "actors/supervisor/supervisor.hpp"

#include <algorithm>
#include <random>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

enum class child_phase { waiting, running, stopping, stopped };

std::string_view to_string(child_phase phase) {
  switch (phase) {
    case child_phase::waiting:
      return "waiting";
    case child_phase::running:
      return "running";
    case child_phase::stopping:
      return "stopping";
    case child_phase::stopped:
      return "stopped";
  }
  return "unknown";
}

struct child {
  child_spec spec;
  child_phase phase = child_phase::waiting;
  caf::strong_actor_ptr actor;
  restart_history history;
  std::uint32_t restarts = 0;
  std::string last_reason;
};

// Messages to itself; they never leave the actor.
struct start_due {
  std::string name;
};

struct stop_overdue {
  std::string name;
};

using internal_protocol =
  caf::typed_actor<caf::reacts_to<start_due>, caf::reacts_to<stop_overdue>>;
using internal_actor = supervisor_actor::extend_with<internal_protocol>;

/// What is wrong with a disk, with what is on it, or with a setting: a restart
/// would find it as it was.
bool is_fatal(const caf::error& reason) {
  if (reason.category() != caf::atom("troupe"))
    return false;
  switch (describe(reason).code) {
    case errc::storage_failed:
    case errc::corrupt:
    case errc::conflict:
    case errc::incompatible:
    case errc::invalid_field:
      return true;
    default:
      return false;
  }
}

struct supervisor_state {
  static inline const char* name = "supervisor";

  internal_actor::pointer self;
  supervisor_config config;
  std::vector<child> children;
  directory_ptr names;
  fatal_handler on_fatal;
  std::mt19937_64 random;
  caf::typed_response_promise<done> shutting_down;
  bool stopping = false;

  child* find(std::string_view child_name) {
    auto i = std::find_if(children.begin(), children.end(),
                          [&](auto& x) { return x.spec.name == child_name; });
    return i == children.end() ? nullptr : &*i;
  }

  child* find(const caf::actor_addr& address) {
    auto i = std::find_if(children.begin(), children.end(), [&](auto& x) {
      return x.actor && x.actor->address() == address;
    });
    return i == children.end() ? nullptr : &*i;
  }

  bool can_start(const child& x) {
    return std::all_of(
      x.spec.depends_on.begin(), x.spec.depends_on.end(), [this](auto& needed) {
        auto* found = find(needed);
        return found != nullptr && found->phase == child_phase::running;
      });
  }

  void start(child& x) {
    if (stopping || x.phase != child_phase::waiting || !can_start(x))
      return;
    auto started = x.spec.start(self->system());
    if (!started) {
      ended(x, started.error());
      return;
    }
    x.actor = *started;
    x.phase = child_phase::running;
    self->monitor(x.actor->address());
    names->put(x.spec.name, x.actor);
    for (auto& other : children)
      if (other.phase == child_phase::waiting && depends(other, x.spec.name))
        start(other);
  }

  static bool depends(const child& x, const std::string& on) {
    auto& needed = x.spec.depends_on;
    return std::find(needed.begin(), needed.end(), on) != needed.end();
  }

  void ended(child& x, const caf::error& reason) {
    bool wanted = x.phase == child_phase::stopping;
    names->erase(x.spec.name);
    x.actor = nullptr;
    x.last_reason = reason ? describe(reason).detail : "finished";
    if (stopping) {
      x.phase = child_phase::stopped;
      stop_next();
      return;
    }
    x.phase = child_phase::waiting;
    if (!wanted && is_fatal(reason)) {
      fail(x);
      return;
    }
    end_dependents(x);
    if (wanted) {
      // Ended because what it depends on ended; starts again after that.
      start(x);
      return;
    }
    restart(x);
  }

  void restart(child& x) {
    auto jitter = std::uniform_real_distribution<>{}(random);
    auto delay =
      x.history.next_delay(self->clock().now(), config.restart, jitter);
    if (!delay) {
      fail(x);
      return;
    }
    ++x.restarts;
    spdlog::warn("supervisor: {} ended ({}), restart in {} ms", x.spec.name,
                 x.last_reason, delay->count());
    self->delayed_send(self, *delay, start_due{x.spec.name});
    report(x);
  }

  void end_dependents(const child& x) {
    for (auto& other : children) {
      if (other.phase == child_phase::running && depends(other, x.spec.name)) {
        other.phase = child_phase::stopping;
        self->send_exit(caf::actor_cast<caf::actor>(other.actor),
                        caf::exit_reason::kill);
      }
    }
  }

  void fail(child& x) {
    x.phase = child_phase::stopped;
    auto why = x.spec.name + ": " + x.last_reason;
    spdlog::critical("supervisor: giving up on {}", why);
    on_fatal(why);
  }

  /// Leaves a trace in the cluster's events, if the catalog can take it.
  void report(const child& x) {
    auto catalog = names->local<proposer_actor>("catalog");
    if (!catalog || x.spec.name == "catalog" || x.spec.name == "raft_log")
      return;
    event what;
    what.type = "supervisor";
    what.service = x.spec.name;
    what.level = "warning";
    what.message = "Actor " + x.spec.name + " ended (" + x.last_reason
                   + ") and is restarted";
    // Not by `self`, which would get the answer.
    caf::anon_send(catalog, propose{record_event{std::move(what)}});
  }

  void stop_next() {
    for (auto x = children.rbegin(); x != children.rend(); ++x) {
      if (x->phase == child_phase::stopped)
        continue;
      if (x->phase == child_phase::waiting) {
        x->phase = child_phase::stopped;
        continue;
      }
      if (x->phase == child_phase::running) {
        x->phase = child_phase::stopping;
        self->send_exit(caf::actor_cast<caf::actor>(x->actor),
                        caf::exit_reason::user_shutdown);
        self->delayed_send(self, config.stop_timeout,
                           stop_overdue{x->spec.name});
      }
      return;
    }
    shutting_down.deliver(done{});
    self->quit();
  }
};

} // namespace

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::start_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stop_overdue)

namespace troupe {

namespace {

children_list list(const supervisor_state& state) {
  children_list result;
  for (auto& x : state.children)
    result.children.push_back({x.spec.name, std::string{to_string(x.phase)},
                               x.restarts, x.last_reason});
  return result;
}

internal_actor::behavior_type
supervisor(internal_actor::stateful_pointer<supervisor_state> self,
           supervisor_config config, std::vector<child_spec> children,
           directory_ptr names, fatal_handler on_fatal) {
  outlive_strays(self);
  auto& state = self->state;
  state.self = self;
  state.config = config;
  state.names = std::move(names);
  state.on_fatal = std::move(on_fatal);
  state.random.seed(config.seed);
  for (auto& spec : children)
    state.children.push_back({std::move(spec)});
  self->set_down_handler([self](caf::down_msg& down) {
    if (auto* x = self->state.find(down.source))
      self->state.ended(*x, down.reason);
  });
  for (auto& x : state.children)
    state.start(x);
  return {
    [self](const list_children&) { return list(self->state); },
    [self](const kill_child& x) -> caf::result<done> {
      auto* found = self->state.find(x.name);
      if (found == nullptr || !found->actor)
        return make_error(errc::not_found, "no running child '" + x.name + "'",
                          "name");
      self->send_exit(caf::actor_cast<caf::actor>(found->actor),
                      caf::exit_reason::kill);
      return done{};
    },
    [self](const shut_down&) -> caf::result<done> {
      auto& state = self->state;
      if (state.stopping)
        return make_error(errc::conflict, "already shutting down");
      state.stopping = true;
      state.shutting_down = self->make_response_promise<done>();
      auto promise = state.shutting_down;
      state.stop_next();
      return promise;
    },
    [self](const get_status&) {
      actor_status result{"supervisor", {}};
      for (auto& x : self->state.children)
        result.details[x.spec.name] = to_string(x.phase);
      return result;
    },
    [self](const start_due& x) {
      if (auto* found = self->state.find(x.name))
        self->state.start(*found);
    },
    [self](const stop_overdue& x) {
      auto* found = self->state.find(x.name);
      if (found == nullptr || !found->actor)
        return;
      spdlog::warn("supervisor: {} did not stop in time, killing it", x.name);
      self->send_exit(caf::actor_cast<caf::actor>(found->actor),
                      caf::exit_reason::kill);
    },
  };
}

} // namespace

supervisor_actor spawn_supervisor(caf::actor_system& system,
                                  supervisor_config config,
                                  std::vector<child_spec> children,
                                  directory_ptr names, fatal_handler on_fatal) {
  return system.spawn(supervisor, config, std::move(children), std::move(names),
                      std::move(on_fatal));
}

} // namespace troupe

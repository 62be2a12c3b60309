#include "actors/health_prober/health_prober.hpp"

#include <algorithm>
#include <random>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "actors/health_prober/assignment.hpp"
#include "actors/health_prober/thresholds.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

using time_point = caf::actor_clock::time_point;

constexpr std::chrono::milliseconds shortest_look{20};

/// A server that this node checks.
struct target {
  check_streak streak;
  std::string last_reason;
  time_point due;
  time_point started;
  bool checking = false;
  bool proposing = false;
};

struct health_prober_state {
  static inline const char* name = "health_prober";

  health_prober_actor::pointer self = nullptr;
  health_prober_config config;
  cluster_view view;
  directory_ptr names;
  lease_ptr roles;
  probe_function probe;

  std::minstd_rand random;
  std::uint64_t seen_version = 0;
  std::map<std::string, target> targets;
  std::uint32_t in_flight = 0;
  std::uint64_t checks = 0;
  std::uint64_t transitions = 0;
  /// Checks in a row that this node could not make.
  std::uint64_t inconclusive = 0;

  time_point now() const { return self->clock().now(); }

  thresholds limits() const {
    return {config.unhealthy_threshold, config.healthy_threshold};
  }

  std::chrono::milliseconds random_up_to(std::chrono::milliseconds bound) {
    using distribution = std::uniform_int_distribution<std::int64_t>;
    return std::chrono::milliseconds{
      distribution{0, std::max<std::int64_t>(0, bound.count())}(random)};
  }

  /// An interval give or take a tenth, so that checks do not beat in time.
  std::chrono::milliseconds jittered_interval() {
    return config.interval * 9 / 10 + random_up_to(config.interval / 5);
  }

  /// Takes over what the newest cluster state assigns to this node.
  void reassign() {
    auto version = view->version();
    if (version == seen_version)
      return;
    seen_version = version;
    auto state = view->get();
    std::vector<member_id> alive;
    for (auto& [id, member] : state->members)
      if (member.state == verdict::alive)
        alive.push_back(id);
    std::erase_if(targets, [&](auto& entry) {
      return state->servers.count(entry.first) == 0
             || prober_of(entry.first, alive) != config.self;
    });
    for (auto& [id, candidate] : state->servers)
      if (targets.count(id) == 0 && prober_of(id, alive) == config.self)
        adopt(candidate);
  }

  /// A server that nobody checked yet is due at once; one that another node
  /// checked until now some time within the interval.
  void adopt(const server& candidate) {
    auto wait = candidate.condition == health::unknown
                  ? std::chrono::milliseconds{0}
                  : random_up_to(config.interval);
    targets[candidate.id].due = now() + wait;
  }

  const health_check& check_of(const server& target) const {
    auto own = config.by_service.find(target.service);
    return own == config.by_service.end() ? config.check : own->second;
  }

  void start_due_checks() {
    auto at = now();
    auto state = view->get();
    for (auto& [id, checked] : targets) {
      if (in_flight >= config.max_in_flight)
        return;
      if (checked.checking || checked.due > at)
        continue;
      auto i = state->servers.find(id);
      if (i == state->servers.end())
        continue;
      checked.checking = true;
      checked.started = at;
      ++in_flight;
      ++checks;
      auto home = caf::actor_cast<health_prober_actor>(self);
      probe(i->second, check_of(i->second), config.timeout,
            [home](probe_result result) {
              caf::anon_send(home, std::move(result));
            });
    }
  }

  std::chrono::milliseconds until_next_look() const {
    auto longest = std::chrono::milliseconds{config.poll_interval};
    auto next = now() + longest;
    for (auto& [id, checked] : targets)
      next = std::min(next,
                      checked.checking ? now() + config.interval : checked.due);
    auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now());
    return std::clamp(wait, shortest_look, longest);
  }

  void record(const probe_result& result) {
    --in_flight;
    auto i = targets.find(result.server_id);
    if (i == targets.end())
      return;
    auto& checked = i->second;
    checked.checking = false;
    // A check that takes its time must not put off the next one: a server that
    // hangs is to be out as soon as one that refuses.
    checked.due = std::max(now(), checked.started + jittered_interval());
    if (!roles->held(now())) {
      checked.streak = {};
      return;
    }
    if (!result.conclusive) {
      note_inconclusive(result);
      return;
    }
    inconclusive = 0;
    checked.streak.record(result.passed);
    checked.last_reason = result.passed ? "check passed" : result.reason;
    propose_transition(result.server_id, checked);
  }

  /// Says so once until a check can be made again.
  void note_inconclusive(const probe_result& result) {
    if (++inconclusive == 1)
      spdlog::warn("this node could not check {}: {}; its health stays as it "
                   "was",
                   result.server_id, result.reason);
  }

  void propose_transition(const std::string& id, target& checked) {
    auto state = view->get();
    auto known = state->servers.find(id);
    if (known == state->servers.end() || checked.proposing)
      return;
    auto current = known->second.condition;
    auto wanted = checked.streak.verdict(current, limits());
    if (wanted == current)
      return;
    auto catalog = names->local<proposer_actor>("catalog");
    if (!catalog)
      return;
    checked.proposing = true;
    auto settled = [this, id] {
      if (auto i = targets.find(id); i != targets.end())
        i->second.proposing = false;
    };
    self
      ->request(catalog, std::chrono::seconds{10},
                propose{set_health{id, wanted, checked.last_reason}})
      .then(
        [this, settled](const apply_result& result) {
          settled();
          if (result.code == 0)
            ++transitions;
        },
        [settled, id](const caf::error& failure) {
          settled();
          // The state still differs, so the next check proposes it again.
          spdlog::warn("health of {} not recorded: {}", id,
                       describe(failure).detail);
        });
  }

  actor_status status() const {
    actor_status result{name, {}};
    result.details["targets"] = std::to_string(targets.size());
    result.details["checks"] = std::to_string(checks);
    result.details["in_flight"] = std::to_string(in_flight);
    result.details["transitions"] = std::to_string(transitions);
    return result;
  }
};

health_prober_actor::behavior_type
health_prober(health_prober_actor::stateful_pointer<health_prober_state> self,
              health_prober_config config, cluster_view view,
              directory_ptr names, lease_ptr roles, probe_function probe) {
  outlive_strays(self);
  auto& state = self->state;
  state.self = self;
  state.random.seed(config.seed);
  state.config = std::move(config);
  state.view = std::move(view);
  state.names = std::move(names);
  state.roles = std::move(roles);
  state.probe = std::move(probe);
  notify_of_changes(state.view, self->address());
  if (state.config.enabled)
    self->send(self, tick{});
  return {
    [=](const probe_result& result) {
      self->state.record(result);
      // One that waited for its turn, or this server's next if it is overdue.
      self->state.start_due_checks();
    },
    [=](state_changed) {
      if (!self->state.config.enabled)
        return;
      self->state.reassign();
      self->state.start_due_checks();
    },
    [=](tick) {
      self->state.reassign();
      self->state.start_due_checks();
      self->delayed_send(self, self->state.until_next_look(), tick{});
    },
    [=](get_status) { return self->state.status(); },
  };
}

} // namespace

caf::error health_prober_config::validate() const {
  auto invalid = [](std::string detail, std::string field) {
    return make_error(errc::invalid_field, std::move(detail),
                      "loadBalancer.healthCheck." + field);
  };
  if (interval.count() <= 0)
    return invalid("the interval must be positive", "interval");
  if (timeout.count() <= 0)
    return invalid("the timeout must be positive", "timeout");
  auto is_path = [](const health_check& one) {
    return one.path.starts_with('/');
  };
  auto all_paths = is_path(check)
                   && std::all_of(by_service.begin(), by_service.end(),
                                  [&](auto& x) { return is_path(x.second); });
  if (!all_paths)
    return invalid("the path must start with '/'", "path");
  if (unhealthy_threshold == 0)
    return invalid("must be at least 1", "unhealthyThreshold");
  if (healthy_threshold == 0)
    return invalid("must be at least 1", "healthyThreshold");
  if (max_in_flight == 0 || poll_interval.count() <= 0)
    return invalid("must be positive", "max_in_flight");
  return caf::none;
}

health_prober_actor spawn_health_prober(caf::actor_system& system,
                                        health_prober_config config,
                                        cluster_view state, directory_ptr names,
                                        lease_ptr roles, probe_function probe) {
  return system.spawn(health_prober, std::move(config), std::move(state),
                      std::move(names), std::move(roles), std::move(probe));
}

} // namespace troupe

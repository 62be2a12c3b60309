#include "actors/balancer/balancer.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "actors/balancer/complaints.hpp"
#include "actors/balancer/traffic_memory.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

using time_point = caf::actor_clock::time_point;

/// Between two times that the others are told of this node's traffic.
constexpr std::chrono::seconds news_interval{1};

struct balancer_state {
  static inline const char* name = "balancer";

  balancer_actor::pointer self = nullptr;
  balancer_config config;
  cluster_view state;
  routing_view routing;
  std::uint64_t seen_version = 0;
  std::uint64_t tables_built = 0;
  directory_ptr names;
  /// The last report of each io thread.
  std::map<std::uint32_t, traffic_report> reports;
  complaints log;
  traffic_memory memory;
  /// Other nodes' balancers that know what this one knew when it saw them.
  std::map<member_id, caf::actor_addr> told;
  bool has_news = false;
  std::optional<time_point> next_tick;

  void refresh() {
    auto version = state->version();
    if (version == seen_version)
      return;
    seen_version = version;
    auto previous = routing->get();
    routing->set(build_routing(*state->get(), config.routes,
                               config.default_service, previous.get()));
    ++tables_built;
  }

  node_traffic total() const {
    node_traffic result;
    for (auto& [io_thread, report] : reports)
      result += report;
    return result;
  }

  void take(traffic_report& report) {
    reports[report.io_thread] = std::move(report);
    has_news = true;
    write_log();
    wake_at(now() + news_interval);
  }

  traffic_of_all of_all() {
    memory.hear(config.self, total());
    return {memory.all()};
  }

  void on_tick() {
    next_tick.reset();
    write_log();
    auto has_changed = std::exchange(has_news, false);
    if (has_changed)
      memory.hear(config.self, total());
    tell_others(has_changed);
  }

  /// Each of them gets this node's totals when they changed, a new one all that
  /// is known.
  void tell_others(bool has_changed) {
    auto snapshot = names->get();
    for (auto& [peer, actors] : snapshot->peers) {
      auto other = directory::find<balancer_actor>(actors, "balancer");
      if (!other)
        continue;
      auto& known = told[peer];
      auto is_new = known != other.address();
      known = other.address();
      for (auto& [who, totals] : memory.all())
        if (is_new || (has_changed && who == config.self))
          caf::anon_send(other, traffic_news{who, totals});
    }
  }

  void write_log() {
    for (auto& line : log.note(total().own, now()))
      spdlog::log(line.is_failure ? spdlog::level::warn : spdlog::level::info,
                  "{}", line.text);
    if (auto next = log.next_line())
      wake_at(*next);
  }

  time_point now() const { return self->clock().now(); }

  void wake_at(time_point when) {
    if (next_tick && *next_tick <= when)
      return;
    next_tick = when;
    self->scheduled_send(self, when, tick{});
  }

  actor_status status() const {
    auto table = routing->get();
    traffic_counters sum;
    auto all = total();
    for (auto& [id, counters] : all.by_server)
      sum += counters;
    actor_status result{name, {}};
    result.details["tables_built"] = std::to_string(tables_built);
    result.details["requests"] = std::to_string(sum.requests);
    result.details["failures"] = std::to_string(sum.failures);
    std::uint64_t own = 0;
    for (auto& [kind, counted] : all.own)
      own += counted.count;
    result.details["own_answers"] = std::to_string(own);
    result.details["active"] = std::to_string(sum.active);
    for (auto& [service, pool] : table->pools)
      result.details["pool." + service] =
        pool.schedule.empty()
          ? pool.unavailable_reason
          : std::to_string(pool.servers.size()) + " servers in traffic";
    return result;
  }
};

balancer_actor::behavior_type
balancer(balancer_actor::stateful_pointer<balancer_state> self,
         balancer_config config, cluster_view state, routing_view routing,
         directory_ptr names) {
  outlive_strays(self);
  self->state.self = self;
  self->state.names = std::move(names);
  self->state.config = std::move(config);
  self->state.state = std::move(state);
  self->state.routing = std::move(routing);
  notify_of_changes(self->state.state, self->address());
  self->state.refresh();
  return {
    [=](traffic_report& report) { self->state.take(report); },
    [=](get_traffic) { return self->state.total(); },
    [=](get_traffic_of_all) { return self->state.of_all(); },
    [=](traffic_news& news) {
      self->state.memory.hear(news.who, std::move(news.totals));
    },
    [=](state_changed) {
      self->state.refresh();
      // A member that came may be one to tell.
      self->state.wake_at(self->state.now() + news_interval);
    },
    [=](tick) { self->state.on_tick(); },
    [=](get_status) { return self->state.status(); },
  };
}

} // namespace

caf::error balancer_config::validate() const {
  for (auto& rule : routes) {
    if (rule.service.empty())
      return make_error(errc::invalid_field, "a route needs a service",
                        "proxy.routes.service");
    if (!rule.path_prefix.empty() && rule.path_prefix.front() != '/')
      return make_error(errc::invalid_field,
                        "a path prefix starts with '/', this one is '"
                          + rule.path_prefix + "'",
                        "proxy.routes.pathPrefix");
  }
  return caf::none;
}

balancer_actor spawn_balancer(caf::actor_system& system, balancer_config config,
                              cluster_view state, routing_view routing,
                              directory_ptr names) {
  return system.spawn(balancer, std::move(config), std::move(state),
                      std::move(routing), std::move(names));
}

} // namespace troupe

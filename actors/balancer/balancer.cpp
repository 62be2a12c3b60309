#include "actors/balancer/balancer.hpp"

#include <caf/all.hpp>

#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

struct balancer_state {
  static inline const char* name = "balancer";

  balancer_config config;
  cluster_view state;
  routing_view routing;
  std::uint64_t seen_version = 0;
  std::uint64_t tables_built = 0;
  /// The last report of each io thread.
  std::map<std::uint32_t, traffic_report> reports;

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
      for (auto& [id, counters] : report.by_server)
        result.by_server[id] += counters;
    return result;
  }

  actor_status status() const {
    auto table = routing->get();
    traffic_counters sum;
    for (auto& [id, counters] : total().by_server)
      sum += counters;
    actor_status result{name, {}};
    result.details["tables_built"] = std::to_string(tables_built);
    result.details["requests"] = std::to_string(sum.requests);
    result.details["failures"] = std::to_string(sum.failures);
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
         balancer_config config, cluster_view state, routing_view routing) {
  outlive_strays(self);
  self->state.config = std::move(config);
  self->state.state = std::move(state);
  self->state.routing = std::move(routing);
  notify_of_changes(self->state.state, self->address());
  self->state.refresh();
  return {
    [=](traffic_report& report) {
      self->state.reports[report.io_thread] = std::move(report);
    },
    [=](get_traffic) { return self->state.total(); },
    [=](state_changed) { self->state.refresh(); },
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
                              cluster_view state, routing_view routing) {
  return system.spawn(balancer, std::move(config), std::move(state),
                      std::move(routing));
}

} // namespace troupe

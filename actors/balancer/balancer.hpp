#pragma once

#include <string>
#include <vector>

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "actors/balancer/routing.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Turns the cluster's servers into the routing table that the proxies read,
/// and sums what they count.
using balancer_actor = caf::typed_actor<
  /// From the io threads, about once a second while there is traffic.
  caf::reacts_to<traffic_report>,
  /// This node's counters.
  caf::replies_to<get_traffic>::with<node_traffic>,
  /// Makes the table anew.
  caf::reacts_to<state_changed>>::extend_with<status_protocol>;

struct balancer_config {
  std::vector<route> routes;
  /// Service of requests that no route takes.
  std::string default_service;

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// Starts a balancer. It publishes a routing table to `routing` each time
/// `state` has a new version. `config` was validated.
balancer_actor spawn_balancer(caf::actor_system& system, balancer_config config,
                              cluster_view state, routing_view routing);

} // namespace troupe

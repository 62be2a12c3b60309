#pragma once

#include <string>
#include <vector>

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "actors/balancer/routing.hpp"
#include "messages/directory.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Turns the cluster's servers into the routing table that the proxies read,
/// sums what they count, and logs what they had to answer themselves.
using balancer_actor = caf::typed_actor<
  /// From the io threads, about once a second while there is traffic.
  caf::reacts_to<traffic_report>,
  /// This node's counters.
  caf::replies_to<get_traffic>::with<node_traffic>,
  /// What all processes of the cluster counted, as far as they told.
  caf::replies_to<get_traffic_of_all>::with<traffic_of_all>,
  /// From the other nodes' balancers, about once a second while they have
  /// traffic, and all they know when they first see this one.
  caf::reacts_to<traffic_news>,
  /// Makes the table anew.
  caf::reacts_to<state_changed>,
  /// Tells the others and the log what is due.
  caf::reacts_to<tick>>::extend_with<status_protocol>;

struct balancer_config {
  /// Whose balancer it is.
  process_id self;
  std::vector<route> routes;
  /// Service of requests that no route takes.
  std::string default_service;

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// Starts a balancer. It publishes a routing table to `routing` each time
/// `state` has a new version, and finds the other nodes' balancers in `names`.
/// `config` was validated.
balancer_actor spawn_balancer(caf::actor_system& system, balancer_config config,
                              cluster_view state, routing_view routing,
                              directory_ptr names);

} // namespace troupe

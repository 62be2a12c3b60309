#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "messages/directory.hpp"
#include "messages/lease.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// The outcome of one health check.
struct probe_result {
  std::string server_id;
  bool passed = false;
  /// Whether it says anything about the server: a node that lacks descriptors
  /// or ports has not asked it.
  bool conclusive = true;
  /// Why it did not pass: `connection refused`, `status 500`, `timed out`.
  std::string reason;
  std::uint32_t duration_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, probe_result& x) {
  return f(caf::meta::type_name("probe_result"), x.server_id, x.passed,
           x.conclusive, x.reason, x.duration_ms);
}

/// What is asked of a server.
struct health_check {
  /// Only whether it takes a connection.
  bool tcp_only = false;
  std::string path = "/health";
  /// The Host field; empty: the server's host and port.
  std::string host;
  /// Where it is asked; 0: its own port.
  std::uint16_t port = 0;
};

/// Runs one check and calls back from any thread, once. Given by the node, so
/// that tests need no network.
using probe_function = std::function<void(
  const server& target, const health_check& how,
  std::chrono::milliseconds timeout, std::function<void(probe_result)> done)>;

/// Checks the servers that this node is to check (rendezvous hashing over the
/// live members) and proposes a change when a threshold is crossed.
using health_prober_actor =
  caf::typed_actor<caf::reacts_to<probe_result>, caf::reacts_to<state_changed>,
                   /// Starts due checks.
                   caf::reacts_to<tick>>::extend_with<status_protocol>;

/// The reference's `loadBalancer.healthCheck`.
struct health_prober_config {
  member_id self = member_id::none;
  bool enabled = true;
  /// Between the starts of two checks of a server.
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds timeout{2000};
  health_check check;
  /// Instead, for the servers of these services.
  std::map<std::string, health_check> by_service;
  /// Consecutive failures that make a server unhealthy.
  std::uint32_t unhealthy_threshold = 3;
  /// Consecutive passes that make it healthy again.
  std::uint32_t healthy_threshold = 2;
  /// Checks under way at once; the others wait.
  std::uint32_t max_in_flight = 64;
  /// The longest time between two looks for due checks.
  std::chrono::milliseconds poll_interval{500};
  /// Seeds the jitter; tests fix it.
  std::uint32_t seed = 0;

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// Starts a prober. It reads the servers and members from `state`, runs checks
/// with `probe` and proposes through the local `catalog` in `names`, only while
/// `roles` is held: what a node saw while it was paused or cut off says nothing
/// about the servers. `config` was validated.
health_prober_actor spawn_health_prober(caf::actor_system& system,
                                        health_prober_config config,
                                        cluster_view state, directory_ptr names,
                                        lease_ptr roles, probe_function probe);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::probe_result)

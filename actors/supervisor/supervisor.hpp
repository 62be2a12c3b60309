#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

#include "actors/supervisor/restart.hpp"
#include "messages/directory.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Starts a node's actors in order, keeps them running, and stops them in
/// reverse order. Each is in the directory under its name while it runs.
using supervisor_actor = caf::typed_actor<
  caf::replies_to<list_children>::with<children_list>,
  /// Errors: not_found.
  caf::replies_to<kill_child>::with<done>,
  /// Answered when all children are down; the supervisor ends then.
  caf::replies_to<shut_down>::with<done>>::extend_with<status_protocol>;

/// How to start a child, and what its end means.
struct child_spec {
  std::string name;
  /// Spawns the actor. An error counts as an end of the child.
  std::function<caf::expected<caf::strong_actor_ptr>(caf::actor_system&)> start;
  /// Children that can't outlive each other (rest-for-one): when the named one
  /// ends, this one is ended and started again after it.
  std::vector<std::string> depends_on = {};
};

struct supervisor_config {
  restart_policy restart;
  /// How long a child may take to stop before it is killed.
  std::chrono::milliseconds stop_timeout{2000};
  /// Seeds the restart delays' jitter.
  std::uint64_t seed = 0;
};

/// What to do when the node can't go on: a child ended with `storage_failed`
/// or `corrupt`, or ended more often than the policy allows.
using fatal_handler = std::function<void(const std::string& why)>;

supervisor_actor spawn_supervisor(caf::actor_system& system,
                                  supervisor_config config,
                                  std::vector<child_spec> children,
                                  directory_ptr names, fatal_handler on_fatal);

} // namespace troupe

#pragma once

#include <mutex>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>

#include "messages/cluster_state.hpp"

namespace troupe {

/// The port on which other nodes find this node's peering actor. A restarted
/// actor takes the port over. Thread-safe.
class cluster_port {
public:
  cluster_port(caf::actor_system& system, endpoint where);

  /// Publishes `peering`, in place of its predecessor. Errors: unavailable
  /// (the port can't be bound), naming address and port.
  caf::error publish(const caf::strong_actor_ptr& peering);

  /// Closes the port.
  void close();

private:
  void unpublish();

  std::mutex mutex_;
  caf::actor_system& system_;
  endpoint where_;
  caf::actor published_;
};

} // namespace troupe

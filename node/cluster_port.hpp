#pragma once

#include <memory>
#include <mutex>

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>

#include "discovery/transport/cluster_transport.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

/// The port on which other nodes find this node's peering actor. It opens with
/// the first one; a restarted actor takes it over. Thread-safe.
class cluster_port {
public:
  cluster_port(std::unique_ptr<cluster_transport> transport, endpoint where);

  /// Publishes `peering`, in place of its predecessor. Errors: unavailable
  /// (the port can't be bound), naming address and port.
  caf::error publish(const caf::strong_actor_ptr& peering);

  /// Reaches other nodes' cluster ports.
  dialer_actor dialer() const { return transport_->dialer(); }

  /// Closes the port.
  void close();

private:
  std::mutex mutex_;
  std::unique_ptr<cluster_transport> transport_;
  endpoint where_;
  bool is_open_ = false;
};

} // namespace troupe

#pragma once

#include <chrono>

#include <caf/actor_system_config.hpp>

namespace troupe {

/// CAF's settings for a node (docs/decisions/0004): a sharing scheduler whose
/// workers can be woken at once, no middleman workers, and heartbeats, without
/// which a silent peer is never noticed: for `silence` at most, five times the
/// heartbeats' interval.
struct node_system_config : caf::actor_system_config {
  explicit node_system_config(std::chrono::milliseconds silence);
};

} // namespace troupe

#pragma once

#include <vector>

#include "node/wiring.hpp"

namespace troupe {

/// Whether the configuration names places where other nodes may be. A list of
/// only this node's own address is none.
bool has_peer_sources(const configuration& settings);

/// Adds an actor for each place that the configuration names. `node` must
/// outlive them.
void add_peer_sources(node_context& node, std::vector<child_spec>& children);

} // namespace troupe

#pragma once

#include "discovery/peer_source/peer_source.hpp"

namespace troupe {

/// Addresses from the configuration: `discovery.nodes`. Does not block.
std::shared_ptr<peer_finder> find_in_list(std::vector<endpoint> nodes);

} // namespace troupe

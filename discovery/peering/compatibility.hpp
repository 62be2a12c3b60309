#pragma once

#include <caf/error.hpp>

#include "messages/cluster.hpp"

namespace troupe {

/// Whether two nodes may be in one cluster: same cluster name, not two
/// different clusters, protocol versions at most one apart, equal shared
/// settings, different names. Errors: incompatible, naming both sides' values.
caf::error check_compatible(const hello& own, const hello& other);

} // namespace troupe

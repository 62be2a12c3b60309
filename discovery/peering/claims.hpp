#pragma once

#include <caf/error.hpp>

#include "messages/cluster.hpp"

// What another node says of itself, checked where it comes in: from here on it
// is used for names, addresses and sizes. Pure.

namespace troupe {

/// Errors: incompatible, naming the field and what it must be.
caf::error check_claims(const node_info& info);

/// The same for all of a greeting. Errors: incompatible.
caf::error check_claims(const hello& greeting);

/// The actors that a node names: `peering` among them, and all of its process.
/// Errors: incompatible.
caf::error check_claims(const actor_names& actors);

} // namespace troupe

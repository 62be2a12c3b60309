#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <caf/actor_control_block.hpp>
#include <caf/atom.hpp>
#include <caf/node_id.hpp>
#include <caf/typed_actor.hpp>

namespace troupe {

/// Connects to other nodes.
using dialer_actor = caf::typed_actor<
  /// Host and port of a node; answers what it has published there. The answer
  /// is never an old one. Errors: unavailable (`is_refused_connection` tells a
  /// live host without a node), timed_out, incompatible (its certificate or
  /// ours, or only one of both nodes has one).
  caf::replies_to<caf::connect_atom, std::string, std::uint16_t>::with<
    caf::node_id, caf::strong_actor_ptr, std::set<std::string>>>;

/// The dialer's error for a connection that the other host refused: it lives,
/// but nothing listens there.
caf::error refused_connection(std::string detail);
bool is_refused_connection(const caf::error& what);

} // namespace troupe

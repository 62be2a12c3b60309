#pragma once

#include <string>
#include <string_view>

#include "discovery/peer_source/peer_source.hpp"

namespace troupe {

/// Reads a list of nodes: one `host:port` a line; blank lines and what follows
/// a `#` count for nothing. A line that is none of this makes a complaint that
/// begins with `name:line`; the other lines count.
findings parse_peer_list(std::string_view text, const std::string& name);

} // namespace troupe

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "node/config/configuration.hpp"

namespace troupe {

/// Raises the soft limit of open descriptors to the hard one. Returns what
/// holds now.
std::uint64_t raise_descriptor_limit();

/// What a node may have open at most under these settings: each client of the
/// proxy has a connection to a server beside its own.
std::uint64_t descriptors_needed(const configuration& settings);

/// What to tell the operator when `limit` is less than that.
std::optional<std::string> descriptor_shortage(const configuration& settings,
                                               std::uint64_t limit);

} // namespace troupe

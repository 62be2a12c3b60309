#pragma once

#include <cstdint>

// Limits that settings and messages share.

namespace troupe {

/// Of a node (`node.ioThreads`); it has as many shards of the cache.
inline constexpr std::uint32_t max_io_threads = 256;

} // namespace troupe

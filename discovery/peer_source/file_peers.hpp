#pragma once

#include <filesystem>

#include "discovery/peer_source/peer_source.hpp"

namespace troupe {

/// Addresses from a file that may change at any time: `discovery.file`. It is
/// read again when its time, size or inode has changed.
/// Blocks as long as the disk does.
std::shared_ptr<peer_finder> find_in_file(std::filesystem::path path);

} // namespace troupe

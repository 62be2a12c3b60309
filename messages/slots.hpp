#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// The slot of a key: CRC16 (XMODEM) modulo 16384, over the part between the
/// first `{` and the next `}` if that is not empty, as in the Redis Cluster
/// specification ("Hash tags").
std::uint16_t slot_of(std::string_view key);

} // namespace troupe

#include <cstdlib>

#include "messages/ids.hpp"

// Linked before the library's own definition: the node of a build with the
// protocol version that OTHER_PROTOCOL says, alike in everything else.

namespace troupe {

namespace {

std::uint16_t read_protocol() {
  auto* text = std::getenv("OTHER_PROTOCOL");
  return static_cast<std::uint16_t>(text ? std::strtoul(text, nullptr, 10) : 0);
}

} // namespace

const std::uint16_t protocol_version = read_protocol();

} // namespace troupe

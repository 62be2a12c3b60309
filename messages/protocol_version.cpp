#include "messages/ids.hpp"

namespace troupe {

const std::uint16_t protocol_version = 1;

} // namespace troupe

#include "messages/type_ids.hpp"

#include <caf/actor_system_config.hpp>

namespace troupe {

void add_troupe_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::troupe>();
}

} // namespace troupe

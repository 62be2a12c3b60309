#include "node/actor_system.hpp"

#include <caf/atom.hpp>
#include <caf/io/middleman.hpp>
#include <caf/timespan.hpp>

#include "messages/type_ids.hpp"

namespace troupe {

node_system_config::node_system_config(std::chrono::milliseconds silence) {
  load<caf::io::middleman>();
  add_troupe_messages(*this);
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", 2u);
  set("middleman.workers", 0u);
  set("middleman.heartbeat-interval", caf::timespan{silence / 5});
  set("middleman.connection-timeout", caf::timespan{silence});
  set("middleman.app-identifiers", std::vector<std::string>{"troupe"});
}

} // namespace troupe

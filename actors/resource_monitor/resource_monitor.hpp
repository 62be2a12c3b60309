#pragma once

#include <chrono>
#include <string>

#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace troupe {

/// Reads the machine's and the process's use of CPU, memory and disk.
using resource_monitor_actor = caf::typed_actor<
  caf::replies_to<get_resources>::with<resource_usage>,
  /// Takes a sample.
  caf::reacts_to<tick>>::extend_with<status_protocol>;

struct resource_monitor_config {
  std::chrono::milliseconds interval{5000};
  /// The disk whose use is reported.
  std::string data_directory = ".";
};

resource_monitor_actor::behavior_type
resource_monitor(resource_monitor_actor::pointer self,
                 resource_monitor_config config);

} // namespace troupe

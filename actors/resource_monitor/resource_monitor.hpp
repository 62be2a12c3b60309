#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace troupe {

/// Reads the machine's and the process' use of CPU, memory and disk.
using resource_monitor_actor = caf::typed_actor<
  /// A sample that is at most a second old.
  caf::replies_to<get_resources>::with<resource_usage>,
  /// Takes a sample.
  caf::reacts_to<tick>>::extend_with<status_protocol>;

/// Where the figures come from. Tests give their own.
struct resource_source {
  /// A file's content; empty if it can't be read.
  std::function<std::string(const std::string& path)> read;
  /// Use of the file system with that path, 0 to 100.
  std::function<std::optional<double>(const std::string& path)> disk_percent;
  std::uint64_t ticks_per_second = 100;
  std::uint64_t page_bytes = 4096;

  /// This machine.
  static resource_source system();
};

struct resource_monitor_config {
  /// Between two samples when nobody asks.
  std::chrono::milliseconds interval{5000};
  /// The disk whose use is reported.
  std::string data_directory = ".";
  resource_source source = resource_source::system();

  /// Errors: invalid_field.
  caf::error validate() const;
};

resource_monitor_actor spawn_resource_monitor(caf::actor_system& system,
                                              resource_monitor_config config);

} // namespace troupe

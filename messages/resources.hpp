#pragma once

#include <cstdint>

#include <caf/meta/type_name.hpp>

namespace troupe {

struct get_resources {};

/// A machine's and its `troupe` process's use, as the node itself reads it
/// from /proc.
struct resource_usage {
  /// Of the whole machine over the last interval, 0 to 100.
  double cpu_percent = 0;
  std::uint32_t cores = 0;
  std::uint64_t memory_total_bytes = 0;
  std::uint64_t memory_used_bytes = 0;
  /// Of the file system with the data directory, 0 to 100.
  double disk_percent = 0;
  /// Of this process, 100 is one core.
  double process_cpu_percent = 0;
  std::uint64_t process_memory_bytes = 0;
  std::uint64_t uptime_s = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_resources&) {
  return f(caf::meta::type_name("get_resources"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, resource_usage& x) {
  return f(caf::meta::type_name("resource_usage"), x.cpu_percent, x.cores,
           x.memory_total_bytes, x.memory_used_bytes, x.disk_percent,
           x.process_cpu_percent, x.process_memory_bytes, x.uptime_s);
}

} // namespace troupe

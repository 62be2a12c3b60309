#include "actors/resource_monitor/resource_monitor.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <sys/statvfs.h>
#include <unistd.h>

#include <caf/all.hpp>
#include <fmt/format.h>

#include "actors/resource_monitor/sampler.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

/// Between two samples, at least: CPU use over less is chance. The first figure
/// needs two, and should not be long in coming.
constexpr std::chrono::milliseconds shortest_span{1000};

std::string read_file(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::optional<double> read_disk_percent(const std::string& path) {
  struct statvfs figures {};
  if (statvfs(path.c_str(), &figures) != 0)
    return std::nullopt;
  // As df: blocks that only root may use count neither as free nor as used.
  auto used = static_cast<double>(figures.f_blocks - figures.f_bfree);
  auto usable = used + static_cast<double>(figures.f_bavail);
  if (usable <= 0)
    return std::nullopt;
  return 100 * used / usable;
}

struct resource_monitor_state {
  static inline const char* name = "resource_monitor";

  std::optional<sampler> readings;
  std::chrono::milliseconds interval{};
  std::uint64_t samples = 0;
  sampler::time_point sampled_at{};

  const resource_usage& fresh(sampler::time_point now) {
    if (samples == 0 || now - sampled_at >= shortest_span) {
      readings->sample(now);
      sampled_at = now;
      ++samples;
    }
    return readings->last();
  }

  /// Takes a sample. Returns the time until the next one.
  std::chrono::milliseconds work(sampler::time_point now) {
    fresh(now);
    return samples == 1 ? std::min(interval, shortest_span) : interval;
  }

  actor_status status(sampler::time_point now) {
    const auto& last = fresh(now);
    return {
      name,
      {{"samples", std::to_string(samples)},
       {"cpu_percent", fmt::format("{:.1f}", last.cpu_percent)},
       {"process_cpu_percent", fmt::format("{:.1f}", last.process_cpu_percent)},
       {"process_memory_bytes", std::to_string(last.process_memory_bytes)}}};
  }
};

resource_monitor_actor::behavior_type resource_monitor(
  resource_monitor_actor::stateful_pointer<resource_monitor_state> self,
  const resource_monitor_config& config) {
  outlive_strays(self);
  auto& state = self->state;
  state.interval = config.interval;
  state.readings.emplace(config.source, config.data_directory);
  self->send(self, tick{});
  return {
    [self](get_resources) { return self->state.fresh(self->clock().now()); },
    [self](tick) {
      auto wait = self->state.work(self->clock().now());
      self->delayed_send(self, wait, tick{});
    },
    [self](get_status) { return self->state.status(self->clock().now()); },
  };
}

} // namespace

resource_source resource_source::system() {
  return {read_file, read_disk_percent,
          static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)),
          static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))};
}

caf::error resource_monitor_config::validate() const {
  if (interval.count() <= 0)
    return make_error(errc::invalid_field, "must be positive", "interval");
  if (data_directory.empty())
    return make_error(errc::invalid_field, "must not be empty",
                      "data_directory");
  if (!source.read || !source.disk_percent || source.ticks_per_second == 0)
    return make_error(errc::invalid_field, "must be complete", "source");
  return caf::none;
}

resource_monitor_actor spawn_resource_monitor(caf::actor_system& system,
                                              resource_monitor_config config) {
  return system.spawn(resource_monitor, std::move(config));
}

} // namespace troupe

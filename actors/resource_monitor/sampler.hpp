#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "actors/resource_monitor/proc.hpp"
#include "actors/resource_monitor/resource_monitor.hpp"

namespace troupe {

/// Turns what the system says into `resource_usage`. CPU use is that since the
/// sample before, so the first sample says 0. Figures that can't be read stay
/// as they were.
class sampler {
public:
  using time_point = std::chrono::steady_clock::time_point;

  sampler(resource_source source, std::string data_directory)
    : source_(std::move(source)), data_directory_(std::move(data_directory)) {}

  const resource_usage& sample(time_point now);

  const resource_usage& last() const noexcept { return last_; }

private:
  void sample_cpu();
  void sample_memory();
  void sample_process(time_point now);
  void sample_disk();
  /// Replaces the machine's memory by the cgroup's where that has less.
  void apply_cgroup_limit();

  resource_source source_;
  std::string data_directory_;
  resource_usage last_;
  std::optional<cpu_times> cpu_before_;
  std::optional<std::uint64_t> process_ticks_before_;
  time_point process_read_before_{};
};

} // namespace troupe

#include "actors/resource_monitor/sampler.hpp"

#include <algorithm>

namespace troupe {

namespace {

std::uint64_t minus(std::uint64_t x, std::uint64_t y) {
  return x > y ? x - y : 0;
}

} // namespace

const resource_usage& sampler::sample(time_point now) {
  sample_cpu();
  sample_memory();
  sample_process(now);
  sample_disk();
  return last_;
}

void sampler::sample_cpu() {
  auto now = parse_cpu_times(source_.read("/proc/stat"));
  if (!now)
    return;
  last_.cores = now->cores;
  if (cpu_before_) {
    auto busy = static_cast<double>(minus(now->busy, cpu_before_->busy));
    auto total = static_cast<double>(minus(now->total, cpu_before_->total));
    if (total > 0)
      last_.cpu_percent = std::min(100.0, 100 * busy / total);
  }
  cpu_before_ = now;
}

void sampler::sample_memory() {
  auto memory = parse_meminfo(source_.read("/proc/meminfo"));
  if (!memory)
    return;
  last_.memory_total_bytes = memory->total_bytes;
  last_.memory_used_bytes = minus(memory->total_bytes, memory->available_bytes);
  apply_cgroup_limit();
}

void sampler::apply_cgroup_limit() {
  auto group = parse_cgroup(source_.read("/proc/self/cgroup"));
  if (!group)
    return;
  auto directory = "/sys/fs/cgroup" + (*group == "/" ? "" : *group);
  auto limit = parse_number(source_.read(directory + "/memory.max"));
  auto current = parse_number(source_.read(directory + "/memory.current"));
  if (!limit || !current || *limit >= last_.memory_total_bytes)
    return;
  // Page cache that can go at once is not use; the kubelet's "working set".
  auto idle =
    parse_keyed(source_.read(directory + "/memory.stat"), "inactive_file");
  last_.memory_total_bytes = *limit;
  last_.memory_used_bytes = minus(*current, idle.value_or(0));
}

void sampler::sample_process(time_point now) {
  auto process = parse_process(source_.read("/proc/self/stat"));
  if (!process)
    return;
  auto ticks_per_second = static_cast<double>(source_.ticks_per_second);
  last_.process_memory_bytes = process->resident_pages * source_.page_bytes;
  if (process_ticks_before_) {
    auto wall =
      std::chrono::duration<double>(now - process_read_before_).count();
    auto ticks = minus(process->cpu_ticks, *process_ticks_before_);
    if (wall > 0)
      last_.process_cpu_percent =
        100 * static_cast<double>(ticks) / ticks_per_second / wall;
  }
  process_ticks_before_ = process->cpu_ticks;
  process_read_before_ = now;
  if (auto uptime = parse_uptime(source_.read("/proc/uptime"))) {
    auto started =
      static_cast<double>(process->started_ticks) / ticks_per_second;
    last_.uptime_s =
      static_cast<std::uint64_t>(std::max(0.0, *uptime - started));
  }
}

void sampler::sample_disk() {
  if (auto used = source_.disk_percent(data_directory_))
    last_.disk_percent = *used;
}

} // namespace troupe

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Texts of /proc and /sys/fs/cgroup, as the kernel's proc(5) and cgroup-v2
// documents describe them. Each function gives nothing for a text that is not
// of its form.

namespace troupe {

/// CPU time since boot, in clock ticks, summed over cores. From /proc/stat.
struct cpu_times {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
  std::uint32_t cores = 0;
};

std::optional<cpu_times> parse_cpu_times(std::string_view proc_stat);

/// From /proc/meminfo.
struct memory_figures {
  std::uint64_t total_bytes = 0;
  /// What new work could get without swapping.
  std::uint64_t available_bytes = 0;
};

std::optional<memory_figures> parse_meminfo(std::string_view meminfo);

/// From /proc/self/stat.
struct process_figures {
  /// User and system time, in clock ticks.
  std::uint64_t cpu_ticks = 0;
  /// Start after boot, in clock ticks.
  std::uint64_t started_ticks = 0;
  std::uint64_t resident_pages = 0;
};

std::optional<process_figures> parse_process(std::string_view self_stat);

/// Seconds since boot. From /proc/uptime.
std::optional<double> parse_uptime(std::string_view uptime);

/// The process' cgroup of the unified hierarchy, below the mount point, for
/// example `/system.slice/troupe.service`. From /proc/self/cgroup.
std::optional<std::string> parse_cgroup(std::string_view self_cgroup);

/// A file with one number, for example memory.current. `max` is nothing.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// The value of a `key value` line, for example in memory.stat.
std::optional<std::uint64_t> parse_keyed(std::string_view text,
                                         std::string_view key);

} // namespace troupe

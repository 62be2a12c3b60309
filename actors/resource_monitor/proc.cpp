#include "actors/resource_monitor/proc.hpp"

#include <charconv>

namespace troupe {

namespace {

/// Takes the text up to the next `separator` off `rest`.
std::string_view take(std::string_view& rest, char separator) {
  auto end = rest.find(separator);
  auto result = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return result;
}

std::string_view take_word(std::string_view& rest) {
  auto start = rest.find_first_not_of(" \t");
  rest.remove_prefix(start == std::string_view::npos ? rest.size() : start);
  auto end = rest.find_first_of(" \t");
  auto result = rest.substr(0, end);
  rest.remove_prefix(result.size());
  return result;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t result = 0;
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, result);
  if (failure != std::errc{} || end != last)
    return std::nullopt;
  return result;
}

} // namespace

std::optional<cpu_times> parse_cpu_times(std::string_view proc_stat) {
  // user nice system idle iowait irq softirq steal; guest time is part of
  // user's already.
  constexpr int fields = 8;
  constexpr int idle = 3;
  constexpr int iowait = 4;
  cpu_times result;
  bool found = false;
  while (!proc_stat.empty()) {
    auto line = take(proc_stat, '\n');
    auto name = take_word(line);
    if (!name.starts_with("cpu"))
      continue;
    if (name != "cpu") {
      ++result.cores;
      continue;
    }
    for (int i = 0; i < fields; ++i) {
      auto word = take_word(line);
      if (word.empty() && i > idle)
        break; // Kernels before 2.6.11 stop here.
      auto ticks = to_number(word);
      if (!ticks)
        return std::nullopt;
      result.total += *ticks;
      if (i != idle && i != iowait)
        result.busy += *ticks;
    }
    found = true;
  }
  if (!found || result.cores == 0)
    return std::nullopt;
  return result;
}

std::optional<memory_figures> parse_meminfo(std::string_view meminfo) {
  auto total = parse_keyed(meminfo, "MemTotal:");
  auto available = parse_keyed(meminfo, "MemAvailable:");
  if (!total || !available)
    return std::nullopt;
  return memory_figures{*total * 1024, *available * 1024};
}

std::optional<process_figures> parse_process(std::string_view self_stat) {
  // Field numbers as in proc(5); 2 is the program's name in parentheses, in
  // which anything may stand.
  constexpr int utime = 14;
  constexpr int stime = 15;
  constexpr int starttime = 22;
  constexpr int rss = 24;
  auto name_end = self_stat.rfind(')');
  if (name_end == std::string_view::npos)
    return std::nullopt;
  auto rest = self_stat.substr(name_end + 1);
  process_figures result;
  for (int field = 3; field <= rss; ++field) {
    auto word = take_word(rest);
    if (field != utime && field != stime && field != starttime && field != rss)
      continue;
    auto number = to_number(word);
    if (!number)
      return std::nullopt;
    if (field == starttime)
      result.started_ticks = *number;
    else if (field == rss)
      result.resident_pages = *number;
    else
      result.cpu_ticks += *number;
  }
  return result;
}

std::optional<double> parse_uptime(std::string_view uptime) {
  auto word = take_word(uptime);
  double result = 0;
  auto last = word.data() + word.size();
  auto [end, failure] = std::from_chars(word.data(), last, result);
  if (failure != std::errc{} || end != last || result < 0)
    return std::nullopt;
  return result;
}

std::optional<std::string> parse_cgroup(std::string_view self_cgroup) {
  while (!self_cgroup.empty()) {
    auto line = take(self_cgroup, '\n');
    if (line.starts_with("0::/"))
      return std::string{line.substr(3)};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  return to_number(take(text, '\n'));
}

std::optional<std::uint64_t> parse_keyed(std::string_view text,
                                         std::string_view key) {
  while (!text.empty()) {
    auto line = take(text, '\n');
    if (take_word(line) == key)
      return to_number(take_word(line));
  }
  return std::nullopt;
}

} // namespace troupe

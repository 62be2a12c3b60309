#include "node/descriptors.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

namespace troupe {

namespace {

/// The log, the replicated log's files, other nodes, health checks.
constexpr std::uint64_t own_descriptors = 512;

} // namespace

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < limit.rlim_max) {
    auto raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  return limit.rlim_cur;
}

std::uint64_t descriptors_needed(const configuration& settings) {
  auto needed = own_descriptors + settings.node.max_connections;
  if (settings.proxy.enabled)
    needed += 2 * std::uint64_t{settings.proxy.max_connections};
  return needed;
}

std::optional<std::string> descriptor_shortage(const configuration& settings,
                                               std::uint64_t limit) {
  auto needed = descriptors_needed(settings);
  if (limit >= needed)
    return std::nullopt;
  return fmt::format(
    "the process may open {} descriptors, node.maxConnections ({}) and "
    "proxy.maxConnections ({}, each with a connection to a server) need {}: "
    "raise the hard limit (ulimit -Hn, LimitNOFILE) or lower the settings",
    limit, settings.node.max_connections, settings.proxy.max_connections,
    needed);
}

} // namespace troupe

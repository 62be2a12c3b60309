#include "node/descriptors.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <sys/resource.h>

namespace troupe {

namespace {

/// The log, the replicated log's files, other nodes, health checks.
constexpr std::uint64_t own_descriptors = 512;

/// An io thread's loop, its listening sockets, and the API's clients that are
/// refused but still read why.
constexpr std::uint64_t own_per_io_thread = 8 + 64;

std::uint64_t own_needed(const configuration& settings) {
  return own_descriptors + own_per_io_thread * io_thread_count(settings.node);
}

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
  auto needed = own_needed(settings) + settings.node.max_connections;
  if (settings.proxy.enabled)
    needed += 2 * std::uint64_t{settings.proxy.max_connections};
  return needed;
}

descriptor_plan plan_descriptors(const configuration& settings,
                                 std::uint64_t limit) {
  descriptor_plan plan;
  plan.own = std::min(own_needed(settings), limit / 2);
  auto left = limit - plan.own;
  std::uint64_t api = settings.node.max_connections;
  std::uint64_t clients =
    settings.proxy.enabled ? settings.proxy.max_connections : 0;
  if (api + 2 * clients > left)
    api = std::min(api, left - std::min(2 * clients, left - left / 4));
  plan.proxy = left - api;
  plan.api_connections = static_cast<std::uint32_t>(api);
  plan.proxy_connections =
    static_cast<std::uint32_t>(std::min(clients, plan.proxy / 2));
  return plan;
}

std::optional<std::string> descriptor_shortage(const configuration& settings,
                                               std::uint64_t limit) {
  auto needed = descriptors_needed(settings);
  if (limit >= needed)
    return std::nullopt;
  auto plan = plan_descriptors(settings, limit);
  return fmt::format(
    "the process may open {} descriptors, node.maxConnections ({}) and "
    "proxy.maxConnections ({}, each with a connection to a server) need {}: "
    "they are lowered to {} and {}; raise the hard limit (ulimit -Hn, "
    "LimitNOFILE) or lower the settings",
    limit, settings.node.max_connections, settings.proxy.max_connections,
    needed, plan.api_connections, plan.proxy_connections);
}

} // namespace troupe

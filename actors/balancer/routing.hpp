#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/balancer/matching.hpp"
#include "messages/cluster_state.hpp"
#include "messages/published.hpp"

namespace troupe {

/// A server that may get traffic.
struct upstream {
  std::string id;
  std::string host;
  std::uint16_t port = 0;
};

/// A pool as the proxy sees it. Immutable but for the shared cursor.
struct upstream_pool {
  std::string service;
  std::vector<upstream> servers;
  /// Indexes into `servers` in the order of smooth weighted round-robin
  /// (nginx), one whole round. Empty: no server may get traffic.
  std::vector<std::uint16_t> schedule;
  /// Why `schedule` is empty, for the client.
  std::string unavailable_reason;
  /// Position in the schedule, shared by all io threads and kept when the
  /// table is built again, so that consecutive requests go round.
  std::shared_ptr<std::atomic<std::uint32_t>> cursor;

  /// A request's turn, for `choose`.
  std::uint32_t next_turn() const noexcept {
    return cursor->fetch_add(1, std::memory_order_relaxed);
  }
};

/// One rule of `proxy.routes`. Empty host or path prefix: any.
struct route {
  std::string host;
  std::string path_prefix = "/";
  std::string service;
};

/// Everything that a proxy needs to decide, without a message.
struct routing_table {
  /// The most specific first: by host, then by the prefix' length.
  std::vector<route> routes;
  /// Where requests go that no route takes; may be empty.
  std::string default_service;
  std::map<std::string, upstream_pool, std::less<>> pools;
  /// What the cluster's proxies write into a request's CDN-Loop field; empty
  /// while there is no cluster.
  std::string loop_token;
  /// Ids of all servers there are, in traffic or not, sorted.
  std::vector<std::string> servers;

  bool knows(const std::string& server_id) const {
    return std::binary_search(servers.begin(), servers.end(), server_id);
  }

  /// The service for a request, or an empty view. `host` may carry a port.
  std::string_view match(std::string_view host, std::string_view path) const;
};

using routing_view = std::shared_ptr<published<routing_table>>;

/// Builds the table from what the cluster agreed on. Servers in maintenance,
/// unhealthy or of weight 0 get no traffic. `previous` lends its cursors.
routing_table build_routing(const cluster_state& state,
                            const std::vector<route>& routes,
                            std::string default_service,
                            const routing_table* previous);

// Inline: the proxy matches without linking the balancer's body.
inline std::string_view routing_table::match(std::string_view host,
                                             std::string_view path) const {
  auto name = host_without_port(host);
  for (auto& rule : routes)
    if ((rule.host.empty() || same_host(rule.host, name))
        && under_prefix(path, rule.path_prefix))
      return rule.service;
  return default_service;
}

} // namespace troupe

#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/proxy/backend.hpp"
#include "http/proxy/proxy.hpp"
#include "http/proxy/request_forwarder.hpp"
#include "http/server/response_writer.hpp"

namespace troupe::proxying {

class session;

/// What the sessions of one io thread share.
class proxy_context {
public:
  using clock = std::chrono::steady_clock;

  proxy_context(io_thread& io, proxy_config config, routing_view routing);
  ~proxy_context();

  /// The routing table now. Keep the pointer while something in it is used.
  const std::shared_ptr<const routing_table>& routing() {
    return routing_.share();
  }

  /// This thread's view of a server, made at its first use.
  const std::shared_ptr<backend>& backend_of(const upstream& server);

  /// The server of a pool for a request's turn (actors/balancer/choose.hpp).
  /// Leaves out those that were tried, and passes over ejected ones while there
  /// is another. Null when all were tried.
  const upstream* choose(const upstream_pool& pool, std::uint32_t turn,
                         const std::vector<std::string>& tried,
                         clock::time_point now);

  /// Whether a session may wait for another request.
  bool draining = false;
  /// Whether there are counters that the balancer has not seen.
  bool unreported = false;
  /// Clients over the limit that have not taken their answer yet.
  std::uint32_t refused_open = 0;

  io_thread& io;
  const proxy_config config;
  request_id_source ids;
  http_date date;
  std::list<std::shared_ptr<session>> sessions;

  /// One more client, unless the node has as many as it may.
  bool admit();

  /// One less.
  void dismiss();

  /// Ends a session's membership in `sessions`; it lives on until its caller
  /// returns.
  void forget(std::list<std::shared_ptr<session>>::iterator position);

  /// For one connection to a server; an idle one is closed for it if need be.
  /// Empty when there is none.
  descriptor_share take_descriptor();

  /// An answer, or the lack of one, that is the proxy's own.
  void count_own(const own_answer& what, std::string_view detail);

  /// Drops connections that are idle since `before`, or whose server gets no
  /// more traffic.
  void drop_idle(clock::time_point before);

  /// Drops what is known of servers that are gone and have no request left.
  void forget_gone();

  bool has_idle() const;

  /// Totals of all servers.
  traffic_report report() const;

private:
  published_reader<routing_table> routing_;
  std::unordered_map<std::string, std::shared_ptr<backend>> backends_;
  traffic_counters gone_;
  own_answers own_answers_;
};

} // namespace troupe::proxying

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <caf/error.hpp>

#include "actors/balancer/routing.hpp"
#include "http/proxy/descriptor_budget.hpp"
#include "http/server/io_thread.hpp"
#include "http/server/listening_port.hpp"
#include "messages/directory.hpp"
#include "messages/ip_range.hpp"

namespace troupe {

/// Which requests may share connections to servers, as HAProxy's `http-reuse`:
/// a server may close an idle connection just when a request is sent on it.
enum class connection_reuse : std::uint8_t {
  /// None: a connection serves one client alone.
  never,
  /// All but the first one of a client, unless the proxy can repeat it. Later
  /// ones a client would repeat itself on its own idle connection.
  safe,
  /// The first ones too, on connections that took more than one request before.
  aggressive,
  /// All.
  always,
};

struct proxy_config {
  using milliseconds = std::chrono::milliseconds;

  /// To open one connection to a server, its name's resolution included.
  milliseconds connect_timeout{2000};
  /// For a client to send a whole request header.
  milliseconds client_header_timeout{10000};
  /// From the request's end to the answer's header.
  milliseconds response_header_timeout{60000};
  /// Without any progress in a body, on either side.
  milliseconds body_idle_timeout{60000};
  /// Between two requests of a client.
  milliseconds keep_alive_timeout{60000};
  /// The same while the proxy stops: the next request is then answered with
  /// `Connection: close`. One that crosses with the close would be lost.
  milliseconds idle_grace{1000};
  /// Of a pooled connection to a server.
  milliseconds upstream_idle_timeout{30000};
  /// Without any byte after a switch of protocols (WebSocket).
  milliseconds tunnel_idle_timeout{3600000};
  /// Between two traffic reports to the balancer.
  milliseconds report_interval{1000};
  /// Of a message's head, and of its trailers, in either direction.
  std::size_t max_header_bytes = 16 << 10;
  /// Clients whose X-Forwarded fields are believed: other proxies.
  std::vector<ip_range> trusted_proxies;
  /// Whether requests get a Via field.
  bool via = false;
  /// Idle connections kept to one server, by one io thread.
  std::size_t max_idle_per_server = 64;
  connection_reuse reuse = connection_reuse::safe;
  /// Whether a request ends when its client ends its side of the connection
  /// (HAProxy's `abortonclose`): to most clients that is closing it. Without,
  /// the answer is waited for, since a client may only have ended its side.
  bool abort_on_close = true;
  /// Failed answers in a row after which an io thread prefers other servers; 0:
  /// they do not count.
  std::uint32_t answer_failures = 5;
  /// Servers tried for one request.
  std::uint32_t max_attempts = 3;
  /// Clients' connections to this node; one more is answered 503 or, when many
  /// come, closed.
  std::uint32_t max_connections = 10000;
  /// How many there are now, shared by the copies of this config, one of which
  /// each io thread's proxy holds.
  std::shared_ptr<std::atomic<std::uint32_t>> open_connections =
    std::make_shared<std::atomic<std::uint32_t>>(0);
  /// What the connections to clients and servers may open, shared likewise.
  descriptor_budget_ptr descriptors = unlimited_descriptors();

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// One io thread's part of the node's reverse proxy (HTTP/1.1). All members
/// are for that thread, or for any while it does not run.
class proxy {
public:
  /// Decides by `routing`; reports its traffic to the local `balancer` in
  /// `names`.
  proxy(io_thread& io, proxy_config config, routing_view routing,
        directory_ptr names);

  /// Ends what is under way, at once.
  ~proxy();

  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  /// Accepts from its own duplicate of that port's socket.
  /// Errors: unavailable (no descriptors are left).
  caf::error start(const listening_port& port);

  /// Accepts who waits and closes its socket. All proxies of a port stop before
  /// one of them drains: whom it sends away would come back through another.
  void stop_accepting();

  /// Stops accepting, lets requests under way finish and closes connections
  /// that are idle for `idle_grace`. Calls `done` when none is left; what is
  /// left after `deadline` is closed.
  void drain(std::chrono::milliseconds deadline, std::function<void()> done);

  /// Clients' connections.
  std::size_t connections() const;

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe

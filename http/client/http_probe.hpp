#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "actors/health_prober/health_prober.hpp"
#include "http/server/io_thread.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

/// What a server answered to a GET.
struct http_status {
  /// 0: it gave no answer.
  unsigned status = 0;
  /// Why not, for people: `connection refused`, `timed out`.
  std::string failure;
  /// Whether the lack was this node's: the server was not asked.
  bool local = false;
};

/// Asks for `path` on a connection of its own and reads the answer's header,
/// nothing more. `done` is called on `io`'s thread, once. To be called on that
/// thread.
void fetch_status(io_thread& io, const endpoint& server,
                  const std::string& path, std::chrono::milliseconds timeout,
                  std::function<void(http_status)> done);

/// Health checks over HTTP, run by `io`'s thread: a status of 2xx or 3xx
/// passes. `io` outlives the function's users.
probe_function make_http_probe(io_thread& io);

} // namespace troupe

#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "actors/health_prober/health_prober.hpp"
#include "http/server/io_thread.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

/// What became of a check.
struct check_outcome {
  /// The answer's status. 0: it gave no answer, or was not asked for one.
  unsigned status = 0;
  /// Why there is no answer, for people: `connection refused`, `timed out`.
  std::string failure;
  /// Whether the lack was this node's: the server was not asked.
  bool local = false;
};

/// Connects, asks for the path on a connection of its own and reads the
/// answer's header, nothing more. `done` is called on `io`'s thread, once. To
/// be called on that thread.
void check_server(io_thread& io, const endpoint& server,
                  const health_check& how, std::chrono::milliseconds timeout,
                  std::function<void(check_outcome)> done);

/// Health checks over HTTP, run by `io`'s thread: a status of 2xx or 3xx
/// passes. `io` outlives the function's users.
probe_function make_http_probe(io_thread& io);

} // namespace troupe

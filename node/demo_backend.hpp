#pragma once

#include <string>

#include <caf/error.hpp>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Runs a tiny HTTP server to put behind the proxy, until SIGINT or SIGTERM.
/// `GET /health` gets 200; everything else a JSON object with `name` and what
/// was asked: method, path, headers. The query changes the answer:
/// `status=503`, `delay_ms=100`, `bytes=1000` (a body of that size instead).
/// Errors: unavailable (the address can't be bound).
caf::error run_demo_backend(const endpoint& listen, const std::string& name);

} // namespace troupe

#pragma once

#include <cstddef>

#include <caf/test/dsl.hpp>

#include "http/server/listening_port.hpp"
#include "messages/error.hpp"

namespace troupe {

/// A port of this machine's that accepts connections. Servers that were started
/// on it keep it open when this object is gone.
inline listening_port open_port(std::size_t sockets = 1) {
  auto port = listening_port::bind({"127.0.0.1", 0}, sockets);
  if (!port)
    CAF_FAIL(describe(port.error()).detail);
  if (auto failure = port->listen())
    CAF_FAIL(describe(failure).detail);
  return std::move(*port);
}

} // namespace troupe

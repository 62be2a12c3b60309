#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <caf/error.hpp>

#include "http/server/listening_port.hpp"
#include "node/config/configuration.hpp"
#include "node/successor.hpp"

namespace troupe {

/// Where clients reach a node. Outlives it when a new process goes on with its
/// sockets.
class client_ports {
public:
  /// Takes the place of a process that handed these sockets over.
  explicit client_ports(named_sockets received);

  /// Reserves the ports without accepting connections yet, on the sockets that
  /// were handed over where they fit; closes those that nobody wants.
  /// Errors: unavailable.
  caf::error open(const configuration& settings, std::size_t io_threads);

  /// From now on clients can connect. Errors: unavailable.
  caf::error listen();

  /// For the next process; still owned by this object.
  named_sockets sockets();

  std::optional<listening_port> api;
  /// Nothing when the proxy is switched off.
  std::optional<listening_port> proxy;

private:
  caf::error open(std::optional<listening_port>& port, const std::string& name,
                  const endpoint& where, std::size_t count);

  named_sockets received_;
};

} // namespace troupe

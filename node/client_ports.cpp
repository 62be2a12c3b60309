#include "node/client_ports.hpp"

#include <utility>

#include <spdlog/spdlog.h>

#include <unistd.h>

#include "messages/error.hpp"

namespace troupe {

client_ports::client_ports(named_sockets received)
  : received_(std::move(received)) {
}

caf::error client_ports::open(const configuration& settings,
                              std::size_t io_threads) {
  auto& host = settings.node.address;
  if (auto problem =
        open(api, "api", {host, settings.node.api_port}, io_threads))
    return problem;
  if (settings.proxy.enabled)
    if (auto problem =
          open(proxy, "proxy", {host, settings.proxy.port}, io_threads))
      return problem;
  for (auto& [name, descriptors] : received_) {
    spdlog::warn("node: closes {} sockets that were handed over as \"{}\"",
                 descriptors.size(), name);
    for (auto descriptor : descriptors)
      ::close(descriptor);
  }
  received_.clear();
  return caf::none;
}

caf::error client_ports::open(std::optional<listening_port>& port,
                              const std::string& name, const endpoint& where,
                              std::size_t count) {
  auto received = received_.extract(name);
  if (!received.empty()) {
    auto adopted = listening_port::adopt(where, received.mapped(), count);
    if (adopted) {
      port = std::move(*adopted);
      return caf::none;
    }
    spdlog::warn("node: {}", describe(adopted.error()).detail);
  }
  auto bound = listening_port::bind(where, count);
  if (!bound)
    return std::move(bound.error());
  port = std::move(*bound);
  return caf::none;
}

caf::error client_ports::listen() {
  for (auto* port : {&api, &proxy})
    if (*port)
      if (auto problem = (*port)->listen())
        return problem;
  return caf::none;
}

named_sockets client_ports::sockets() {
  named_sockets result;
  if (api)
    result["api"] = api->descriptors();
  if (proxy)
    result["proxy"] = proxy->descriptors();
  return result;
}

} // namespace troupe

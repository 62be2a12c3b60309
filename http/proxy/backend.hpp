#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "actors/balancer/routing.hpp"
#include "http/proxy/connection_pool.hpp"
#include "http/proxy/ejection.hpp"
#include "messages/traffic.hpp"

namespace troupe::proxying {

/// What one io thread knows of a server: its counters, its idle connections,
/// its addresses and whether connecting failed lately.
class backend {
public:
  using clock = std::chrono::steady_clock;
  using addresses = std::vector<boost::asio::ip::tcp::endpoint>;

  /// As `passive_health` takes it: `answer_threshold`.
  backend(upstream server, std::size_t max_idle,
          std::uint32_t answer_threshold);
  const upstream& server() const noexcept { return server_; }

  /// What the server's name resolved to, while that may still be used. For good
  /// where it needs no resolver.
  const addresses* known_addresses(clock::time_point now) const;
  void remember(addresses found, clock::time_point until);

  /// Connections that any client may use.
  connection_pool idle;
  traffic_counters counters;
  passive_health passive;

private:
  upstream server_;
  addresses addresses_;
  clock::time_point addresses_until_{};
};

} // namespace troupe::proxying

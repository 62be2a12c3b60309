#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "actors/balancer/routing.hpp"
#include "http/proxy/ejection.hpp"
#include "http/proxy/stream.hpp"
#include "messages/traffic.hpp"

namespace troupe::proxying {

/// What one io thread knows of a server: its counters, its idle connections,
/// its addresses and whether connecting failed lately.
class backend final : public stream::observer {
public:
  using clock = std::chrono::steady_clock;
  using addresses = std::vector<boost::asio::ip::tcp::endpoint>;

  backend(upstream server, std::size_t max_idle);
  ~backend();

  backend(const backend&) = delete;
  backend& operator=(const backend&) = delete;

  const upstream& server() const noexcept { return server_; }

  /// The idle connection used last, which the server is least likely to close
  /// now; null when there is none.
  stream_ptr take();

  /// Keeps a connection on which nothing is under way. It is dropped as soon
  /// as the server closes it or speaks unasked, or when too many are idle.
  void keep(stream_ptr connection, clock::time_point now);

  /// Drops the connection that is idle longest. False when there is none.
  bool drop_oldest();

  /// Drops connections that are idle since `before`.
  void drop_idle(clock::time_point before);

  std::size_t idle() const noexcept { return idle_.size(); }

  /// What the server's name resolved to, while that may still be used. For good
  /// where it needs no resolver.
  const addresses* known_addresses(clock::time_point now) const;
  void remember(addresses found, clock::time_point until);

  traffic_counters counters;
  ejection passive;

private:
  struct idle_connection {
    stream_ptr connection;
    clock::time_point since;
  };

  void on_bytes(stream& from) override;
  void on_written(stream&) override {}
  void on_ended(stream& from, boost::system::error_code) override;
  void on_write_failed(stream&) override {}
  void drop(stream& which);

  upstream server_;
  std::size_t max_idle_;
  // The longest idle first.
  std::vector<idle_connection> idle_;
  addresses addresses_;
  clock::time_point addresses_until_{};
};

} // namespace troupe::proxying

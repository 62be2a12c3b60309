#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "http/proxy/stream.hpp"

namespace troupe::proxying {

/// Idle connections to one server: those that all clients of an io thread
/// share, or those of one client alone.
class connection_pool final : public stream::observer {
public:
  using clock = std::chrono::steady_clock;

  explicit connection_pool(std::size_t max_idle) : max_idle_(max_idle) {}

  /// Closes them.
  ~connection_pool();

  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;

  /// The connection used last, which the server is least likely to close now;
  /// null when there is none. `only_proven`: one that was taken from a pool
  /// before.
  stream_ptr take(bool only_proven = false);

  /// Keeps a connection on which nothing is under way. It is dropped as soon
  /// as the server closes it or speaks unasked, or when too many are idle.
  void keep(stream_ptr connection, clock::time_point now);

  /// Drops the connection that is idle longest. False when there is none.
  bool drop_oldest();

  /// Drops connections that are idle since `before`.
  void drop_idle(clock::time_point before);

  std::size_t size() const noexcept { return idle_.size(); }

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

  std::size_t max_idle_;
  // The longest idle first.
  std::vector<idle_connection> idle_;
};

} // namespace troupe::proxying

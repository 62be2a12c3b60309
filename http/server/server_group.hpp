#pragma once

#include <functional>
#include <future>
#include <memory>
#include <vector>

#include <caf/error.hpp>

#include "http/server/server.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

/// Sums over the io threads of a server, since its start.
struct http_totals {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t slow_readers = 0;
  std::uint64_t answers[6] = {};
  std::uint64_t handling_us = 0;
  std::uint32_t open = 0;
  /// Bytes held now: of requests' bodies, and of answers not read yet.
  std::uint64_t body_bytes = 0;
  std::uint64_t answer_bytes = 0;
};

/// An HTTP server over several io threads, one listener each on the same port
/// (SO_REUSEPORT). All functions are for any thread that is not one of the io
/// threads. To be destroyed before them.
class http_server_group {
public:
  /// Makes the handlers of one io thread.
  using handlers_factory = std::function<server_handlers(io_thread&)>;

  http_server_group(std::vector<io_thread*> threads,
                    const server_config& config,
                    const handlers_factory& make_handlers);

  /// As `close`.
  ~http_server_group();

  http_server_group(const http_server_group&) = delete;
  http_server_group& operator=(const http_server_group&) = delete;

  /// Accepts what connects to `port`.
  /// Errors: unavailable, with the address and the reason.
  caf::error start(const listening_port& port);

  /// Nothing is accepted any more. Requests under way, and the next one of an
  /// idle connection within its grace, are answered with `Connection: close`.
  void stop_accepting();

  /// `stop_accepting`, then waits until the last connection ended, and ends
  /// those that took longer than `limit`: then it returns false.
  bool drain(std::chrono::milliseconds limit);

  /// Closes everything at once. Waits for the io threads to have done so.
  void close();

  std::uint32_t open_connections() const noexcept { return budget_->open(); }

  http_totals totals() const;

private:
  /// The futures are ready when the io threads did it.
  std::vector<std::future<void>> on_each_thread(void (http_server::*action)());

  std::shared_ptr<connection_budget> budget_;
  std::shared_ptr<body_budget> bodies_;
  std::vector<io_thread*> threads_;
  std::vector<std::shared_ptr<http_server>> servers_;
};

} // namespace troupe

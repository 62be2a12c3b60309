#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <caf/error.hpp>

#include "http/server/accept_backoff.hpp"
#include "http/server/answer_budget.hpp"
#include "http/server/body_budget.hpp"
#include "http/server/exchange.hpp"
#include "http/server/io_thread.hpp"
#include "http/server/listening_port.hpp"
#include "http/server/response_writer.hpp"
#include "messages/error.hpp"

namespace troupe {

/// Limits of the API port.
struct server_config {
  /// Of request line and headers; more gets 431.
  std::uint32_t max_header_bytes = 16 << 10;
  /// Of a request's body; more gets 413.
  std::uint64_t max_body_bytes = 1 << 20;
  /// The limit instead, when set, of a body with that method and path. Asked as
  /// soon as the request line is there, from any io thread.
  std::function<std::uint64_t(http_verb, std::string_view)> body_limit_of = {};

  /// From a connection's or a request's begin to the end of its head; longer
  /// gets 408.
  std::chrono::milliseconds header_timeout{10'000};
  /// For the body; longer gets 408.
  std::chrono::milliseconds body_timeout{30'000};
  /// Between two requests of a connection; then it is closed.
  std::chrono::milliseconds idle_timeout{60'000};
  /// Without progress in sending an answer; then it is closed.
  std::chrono::milliseconds write_timeout{30'000};
  /// Bytes a second at which an answer must be read, at least, beyond
  /// `write_timeout`; then the connection is closed.
  std::uint64_t min_read_rate = 8 << 10;
  /// For the handler; longer gets 504.
  std::chrono::milliseconds request_deadline{10'000};
  /// How long a closed connection may still send, so that it can read our last
  /// answer (RFC 9112 §9.6).
  std::chrono::milliseconds linger_timeout{2'000};
  /// How often deadlines are looked at, while there are connections.
  std::chrono::milliseconds sweep_interval{1'000};
  /// How long a server that stops waits for the next request of an idle
  /// connection, to answer it with `Connection: close`: a request that crosses
  /// with the close would be lost.
  std::chrono::milliseconds idle_grace{1'000};
  /// Open at once, over all io threads; more get 503.
  std::uint32_t max_connections = 10'000;
  /// Of all request bodies together, from their first byte to their answer,
  /// over all io threads; a body beyond it gets 503.
  std::uint64_t max_body_bytes_in_flight = 256 << 20;
  /// Of all answers together, from when they are made until the kernel has
  /// them; each io thread has an equal part. When one does not fit, clients
  /// that read slowly are closed, and if that is not enough, a request that
  /// only reads gets 503 instead of its answer.
  std::uint64_t max_answer_bytes_in_flight = 128 << 20;
  /// How long a client may read slowly although its memory is wanted.
  std::chrono::milliseconds slow_reader_grace{1'000};

  std::uint64_t body_limit(http_verb method, std::string_view path) const {
    return body_limit_of ? body_limit_of(method, path) : max_body_bytes;
  }

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// A request that the server answers itself, because it never became one or
/// got no answer.
struct request_failure {
  unsigned status = 400;
  errc code = errc::malformed;
  std::string detail;
  std::string_view path;
  std::string_view request_id;
  /// The part of the request that is wrong, if one is: `header`, `body`.
  std::string field = {};
};

struct server_handlers {
  /// Called on the io thread that read the request.
  std::function<void(http_exchange_ptr)> on_request;
  /// The JSON body of a failure's answer.
  std::function<std::string(const request_failure&)> render_failure;
};

/// What an io thread's server counted since its start.
struct http_counters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> timeouts{0};
  /// Connections closed because their client read its answer too slowly.
  std::atomic<std::uint64_t> slow_readers{0};
  /// Answers by the first digit of their status.
  std::atomic<std::uint64_t> answers[6] = {};
  /// Sum over all answers, from the request's last byte, in µs.
  std::atomic<std::uint64_t> handling_us{0};
};

/// Shared by the io threads of a server: how many connections are open.
class connection_budget {
public:
  explicit connection_budget(std::uint32_t limit) : limit_(limit) {}

  /// False: there are too many.
  bool take();

  void give_back();

  std::uint32_t open() const noexcept { return open_.load(); }

  /// Waits until none is open. False when that took too long.
  bool wait_for_none(std::chrono::milliseconds limit);

private:
  const std::uint32_t limit_;
  std::atomic<std::uint32_t> open_{0};
  std::mutex mutex_;
  std::condition_variable none_open_;
};

class http_connection;

/// One io thread's part of an HTTP server: its listener and its connections.
/// All but the constructor, `open` and `counters` is for the io thread itself.
class http_server : public std::enable_shared_from_this<http_server> {
public:
  http_server(io_thread& io, const server_config& config,
              server_handlers handlers,
              std::shared_ptr<connection_budget> budget,
              std::shared_ptr<body_budget> bodies,
              std::uint64_t max_answer_bytes);

  ~http_server();

  /// Will accept from its own duplicate of that port's socket.
  boost::system::error_code open(const listening_port& port);

  void start_accepting();

  /// Accepts who waits and closes the listener.
  void stop_accepting();

  /// Connections end with the answer to their next request, idle ones after
  /// `idle_grace`.
  void drain();

  /// Closes everything.
  void close();

  const http_counters& counters() const noexcept { return counters_; }

  /// Bytes of answers that wait for their clients. From any thread.
  std::uint64_t answer_bytes() const noexcept { return answers_.held(); }

private:
  friend class http_connection;

  using connection_list = std::list<std::shared_ptr<http_connection>>;

  void accept_next();
  void accept_backlog();
  void admit(boost::asio::ip::tcp::socket socket);
  void retry_accept_later(const boost::system::error_code& why);
  void arm_sweep();
  void sweep();
  bool make_room(std::uint64_t answer_bytes);
  void close_slow_readers(std::chrono::steady_clock::time_point now);
  void remove(connection_list::iterator which);

  io_thread& io_;
  server_config config_;
  server_handlers handlers_;
  std::shared_ptr<connection_budget> budget_;
  std::shared_ptr<body_budget> bodies_;
  answer_budget answers_;
  http_counters counters_;
  boost::asio::ip::tcp::acceptor acceptor_;
  accept_backoff backoff_;
  boost::asio::steady_timer sweep_timer_;
  boost::asio::steady_timer accept_timer_;
  connection_list connections_;
  std::chrono::steady_clock::time_point slow_readers_sought_{};
  http_date date_;
  /// Connections that only wait for their client to read a refusal.
  std::uint32_t refused_open_ = 0;
  bool sweeping_ = false;
  bool draining_ = false;
};

} // namespace troupe

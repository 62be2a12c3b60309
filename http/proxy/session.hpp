#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/proxy/connector.hpp"
#include "http/proxy/context.hpp"
#include "http/proxy/request_forwarder.hpp"
#include "http/proxy/response_forwarder.hpp"
#include "http/proxy/stream.hpp"

namespace troupe::proxying {

/// A client's connection and, one after the other, its requests.
///
///   head ──▶ connecting ──▶ exchanging ──▶ head (keep-alive) ──▶ ...
///    │  ▲        │ ▲            │  │
///    │  │        │ └── retry ───┘  └──▶ tunnel (101)
///    ▼  └────────▼
///   answering: the last of a response is on its way to the client (one of our
///              own, or a server's), then head or lingering
///
/// A body is never held whole: each direction reads on only after what it read
/// before was written.
class session final : public stream::observer,
                      public std::enable_shared_from_this<session> {
public:
  using clock = std::chrono::steady_clock;
  using error_code = boost::system::error_code;

  /// Of either stream's buffer: what is read ahead at most, and the longest
  /// line.
  static constexpr std::size_t max_buffer = 64 << 10;

  /// `admitted`: the client is not one too many.
  session(proxy_context& context, stream_ptr client, std::string address,
          bool admitted);

  bool is_admitted() const noexcept { return admitted_; }

  // session.cpp: the client's side.

  /// `position` is where the context holds this session.
  void start(std::list<std::shared_ptr<session>>::iterator position);

  /// As `start`, only to answer 503: there are too many connections.
  void refuse(std::list<std::shared_ptr<session>>::iterator position);

  /// Ends it when its deadline has passed.
  void check_deadline(clock::time_point now);

  /// Ends it when it only waits for a request, or is a tunnel: those have no
  /// end to wait for.
  void drain();

  /// Ends it at once.
  void close();

private:
  enum class phase {
    head,
    connecting,
    exchanging,
    answering,
    tunnel,
    lingering,
    closed
  };

  void on_bytes(stream& from) override;
  void on_written(stream& to) override;
  void on_ended(stream& from, error_code why) override;
  void on_write_failed(stream& to) override;

  void on_client_bytes();
  void on_client_ended(error_code why);
  void read_requests();
  bool read_request();
  bool request_complete() const { return request_ && request_->is_done(); }
  /// `for_log` is more than the client should know.
  void answer(own_answer what, std::string_view detail,
              std::string_view for_log = {});
  void flush_answer();
  void end_request(bool keep_client);
  void linger();
  void set_deadline(std::chrono::milliseconds from_now);

  // exchange.cpp: the server's side.

  void begin_exchange();
  void attempt();
  const upstream* next_server();
  stream_ptr take_connection();
  bool can_repeat() const;
  void connect();
  void on_connected(error_code failure, tcp_socket socket,
                    descriptor_share descriptor);
  void connect_failed(std::string why, own_answer answer);
  void use(stream_ptr upstream, bool reused);
  void send_request();
  void on_request_sent();
  void read_request_body();
  void listen_to_client();
  void forward_response();
  bool flush_response();
  void begin_response();
  bool parse_response();
  bool on_response_head();
  void finish_response();
  void on_upstream_ended(error_code why);
  void end_of_upstream();
  void exchange_timed_out();
  bool can_retry() const;
  void retry_on_new_connection();
  void fail_exchange(own_answer what, std::string_view detail);
  void enter_backend(const upstream& server);
  void leave_backend(bool failed);
  void drop_upstream();
  void release_upstream();
  void keep_upstream();

  // tunnel.cpp: after a switch of protocols.

  void begin_tunnel();
  void pump(stream& from);
  void on_tunnel_ended(stream& from, error_code why);

  proxy_context& context_;
  std::list<std::shared_ptr<session>>::iterator position_;
  stream_ptr client_;
  std::string address_;
  const bool admitted_;
  /// Whether the client is a proxy that is believed.
  const bool is_trusted_;
  phase phase_ = phase::head;
  clock::time_point deadline_ = clock::time_point::max();
  bool reading_requests_ = false;
  bool is_first_request_ = true;
  bool client_ended_ = false;
  bool keep_after_answer_ = false;

  // One request. The strings keep their memory for the next.
  std::optional<request_forwarder> request_;
  std::string request_id_;
  std::string instance_;
  std::string to_upstream_;
  std::string to_client_;
  bool writing_upstream_ = false;
  bool writing_client_ = false;

  // One exchange with a server, and the attempts at it.
  std::shared_ptr<const routing_table> table_;
  const upstream_pool* pool_ = nullptr;
  std::uint32_t turn_ = 0;
  std::vector<std::string> tried_;
  std::uint32_t attempts_ = 0;
  std::string last_failure_;
  /// What the client is told when no server could be reached.
  own_answer last_answer_;
  std::shared_ptr<backend> backend_;
  /// Connections that no other client may use, by server.
  std::map<std::string, connection_pool> own_connections_;
  /// The server that authenticated one of them; empty: none.
  std::string bound_server_;
  std::shared_ptr<connector> connector_;
  stream_ptr upstream_;
  bool reused_ = false;
  bool upstream_ended_ = false;
  error_code upstream_failure_;
  /// It takes no more of the request; it may still answer.
  bool upstream_refuses_ = false;
  std::optional<response_forwarder> response_;
  bool response_begun_ = false;
  bool response_head_done_ = false;
  clock::time_point request_ended_{};
};

} // namespace troupe::proxying

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "http/server/request_parser.hpp"
#include "http/server/server.hpp"

namespace troupe {

class http_connection;

/// Carries answers from any thread to a connection, for as long as it stands.
class connection_channel final : public answer_channel {
public:
  /// To be made on the connection's io thread.
  connection_channel(io_thread& io, http_connection* target)
    : io_(&io), owner_(std::this_thread::get_id()), target_(target) {}

  void deliver(std::uint64_t sequence, http_response answer) override;
  void abandon(std::uint64_t sequence) override;

  /// The connection ended.
  void detach();

private:
  io_thread* io_;
  std::thread::id owner_;
  std::mutex mutex_;
  http_connection* target_;
};

/// One client's connection. Reads requests one after another; the next one is
/// looked at when the last one is answered, so answers keep their order and a
/// client that sends faster than it is served is held back by TCP.
///
///   idle -> head -> body -> handling -> idle ...
///                                    -> lingering (we sent our last answer)
class http_connection : public std::enable_shared_from_this<http_connection> {
public:
  using clock = std::chrono::steady_clock;

  http_connection(std::shared_ptr<http_server> server,
                  boost::asio::ip::tcp::socket socket, bool counted);

  ~http_connection();

  void start();

  /// Answers 503 at once and closes.
  void refuse();

  /// Ends now if idle, else with the current answer.
  void drain();

  void close();

  /// Called by the sweep.
  void check_deadline(clock::time_point now);

  /// The handler's answer to the request `sequence`.
  void answer(std::uint64_t sequence, const http_response& what);

  /// The handler let the request go.
  void abandoned(std::uint64_t sequence);

private:
  friend class http_server;

  enum class phase { idle, head, body, handling, lingering, closed };

  void read();
  void on_read(const boost::system::error_code& failure, std::size_t count);
  void make_room();
  std::string_view unparsed() const noexcept {
    return {buffer_.get() + begin_, end_ - begin_};
  }
  void go_on();
  bool process();
  bool parse();
  void on_head();
  void dispatch();
  void write(const http_response& what);
  void fail(unsigned status, errc code, std::string detail,
            std::string field = {});
  bool flush();
  bool has_unsent();
  void send_rest();
  void on_written(const boost::system::error_code& failure, std::size_t count);
  void linger();
  void enter(phase next, std::chrono::milliseconds limit);
  void restart_deadline();
  http_response too_much_unread();
  bool may_write(const http_response& what);
  template <class Append>
  void append_output(Append append);
  void give_back(std::uint64_t answer_bytes);
  bool reads_slowly(clock::time_point now) const;

  std::shared_ptr<http_server> server_;
  boost::asio::ip::tcp::socket socket_;
  caf::intrusive_ptr<connection_channel> channel_;
  std::list<std::shared_ptr<http_connection>>::iterator position_;
  std::string remote_address_;

  // What was read and not yet parsed: [begin_, end_).
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  /// Whether the last read filled it: there is likely more.
  bool read_full_ = false;
  /// Of a large buffer, in the budget of bodies.
  body_share buffer_share_;

  std::optional<request_parser> parser_;
  // Answers that wait, and those on their way: the kernel reads the latter, so
  // they must not move.
  std::string out_;
  std::string sending_;
  std::size_t sent_ = 0;
  /// When `sending_` began to wait for the client.
  clock::time_point waiting_since_{};
  /// What the server's budget has given for `out_` and `sending_`.
  std::uint64_t answer_bytes_ = 0;

  // Of the request being answered.
  std::uint64_t sequence_ = 0;
  std::string request_id_;
  std::string path_;
  clock::time_point started_{};
  bool keep_alive_ = true;
  bool http_1_1_ = true;
  bool head_only_ = false;
  /// It changes nothing (RFC 9110 §9.2.1), so that it can be asked again.
  bool safe_ = false;

  phase phase_ = phase::idle;
  clock::time_point deadline_{};
  clock::time_point write_deadline_{};
  /// Whether its place in the budget is to be given back.
  bool counted_;
  bool head_seen_ = false;
  bool last_answer_ = false;
  bool processing_ = false;
  bool reading_ = false;
  bool writing_ = false;
};

} // namespace troupe

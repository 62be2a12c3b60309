#include "http/client/http_probe.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>

#include "http/client/known_address.hpp"
#include "http/client/local_failure.hpp"
#include "http/parsing/message_parser.hpp"

namespace troupe {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t max_header_bytes = 16 << 10;

/// As the system names a failure, without a capital: `connection refused`.
std::string explain(const error_code& failure) {
  if (failure == http::error::end_of_stream || failure == asio::error::eof)
    return "connection closed without an answer";
  auto text = failure.message();
  if (!text.empty())
    text[0] =
      static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return failure.category()
             == make_error_code(http::error::bad_version).category()
           ? "not a valid HTTP answer: " + text
           : text;
}

/// Reads an answer up to its body.
class status_reader final : public message_parser<false> {
public:
  status_reader() : message_parser(max_header_bytes) { expect_no_body(); }

  unsigned status() const { return status_; }

  /// 1xx but 101: the answer is yet to come (RFC 9110 §15.2).
  bool is_interim() const { return status_ / 100 == 1 && status_ != 101; }

private:
  error_code take_status_line(unsigned status, std::string_view, int) override {
    status_ = status;
    return {};
  }

  error_code take_field(field, std::string_view, std::string_view) override {
    return {};
  }

  error_code take_header_end() override { return {}; }

  error_code take_body(std::string_view) override { return {}; }

  error_code take_chunk_body(std::uint64_t, std::string_view) override {
    return {};
  }

  unsigned status_ = 0;
};

/// One check. Its handlers keep it alive.
class status_request : public std::enable_shared_from_this<status_request> {
public:
  status_request(asio::io_context& loop,
                 std::function<void(check_outcome)> done)
    : resolver_(loop), socket_(loop), timer_(loop), done_(std::move(done)) {
    answer_.emplace();
  }

  void start(const endpoint& server, const health_check& how,
             std::chrono::milliseconds timeout) {
    tcp_only_ = how.tcp_only;
    request_.method(http::verb::get);
    request_.target(how.path);
    request_.set(http::field::host,
                 how.host.empty() ? to_string(server) : how.host);
    request_.set(http::field::user_agent, "troupe-health-check");
    request_.set(http::field::connection, "close");
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled)
        self->finish({0, "timed out", false});
    });
    auto known = known_addresses(server);
    if (known.empty())
      resolve(server);
    else
      connect(std::move(known));
  }

private:
  /// On a thread of the resolver's own.
  void resolve(const endpoint& server) {
    resolver_.async_resolve(
      server.host, std::to_string(server.port),
      [self = shared_from_this()](error_code failure,
                                  const tcp::resolver::results_type& found) {
        if (self->proceeds(failure))
          self->connect(std::vector<tcp::endpoint>(found.begin(), found.end()));
      });
  }

  /// Whether to go on; ends the request when not.
  bool proceeds(const error_code& failure) {
    if (failure)
      finish({0, explain(failure), is_local_failure(failure)});
    return done_ != nullptr;
  }

  void connect(std::vector<tcp::endpoint> addresses) {
    addresses_ = std::move(addresses);
    connect_next();
  }

  /// Not asio::async_connect, which tells a lack of descriptors as `operation
  /// aborted`.
  void connect_next() {
    auto address = addresses_.front();
    addresses_.erase(addresses_.begin());
    error_code ignored;
    socket_.close(ignored);
    socket_.async_connect(
      address, [self = shared_from_this()](const error_code& failure) {
        if (failure)
          self->failures_.add(failure);
        if (failure && self->done_ && !self->addresses_.empty())
          self->connect_next();
        else if (self->proceeds(failure ? self->failures_.verdict() : failure))
          self->on_connected();
      });
  }

  void on_connected() {
    if (tcp_only_)
      finish({});
    else
      write();
  }

  void write() {
    http::async_write(
      socket_, request_,
      [self = shared_from_this()](error_code failure, std::size_t) {
        if (self->proceeds(failure))
          self->read();
      });
  }

  void read() {
    socket_.async_read_some(
      asio::buffer(buffer_.data() + size_, buffer_.size() - size_),
      [self = shared_from_this()](error_code failure, std::size_t count) {
        if (failure == asio::error::eof && self->size_ > 0)
          failure = http::error::partial_message;
        self->size_ += count;
        if (self->proceeds(failure))
          self->parse();
      });
  }

  void parse() {
    error_code failure;
    do {
      if (answer_->is_done())
        answer_.emplace();
      auto used = answer_->parse({buffer_.data(), size_}, failure);
      size_ -= used;
      std::memmove(buffer_.data(), buffer_.data() + used, size_);
    } while (!failure && answer_->is_interim());
    if (failure == http::error::need_more)
      read();
    else if (proceeds(failure))
      finish({answer_->status(), {}, false});
  }

  void finish(check_outcome result) {
    auto done = std::exchange(done_, nullptr);
    if (!done)
      return;
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    done(std::move(result));
  }

  tcp::resolver resolver_;
  std::vector<tcp::endpoint> addresses_;
  connect_failures failures_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  /// Room for a header that is too large by a byte.
  std::array<char, max_header_bytes + 1> buffer_;
  std::size_t size_ = 0;
  http::request<http::empty_body> request_;
  std::optional<status_reader> answer_;
  bool tcp_only_ = false;
  std::function<void(check_outcome)> done_;
};

probe_result judge(std::string server_id, bool tcp_only, check_outcome answer,
                   std::chrono::steady_clock::duration took) {
  using std::chrono::milliseconds;
  probe_result result;
  result.server_id = std::move(server_id);
  result.passed = tcp_only ? answer.failure.empty()
                           : answer.status >= 200 && answer.status < 400;
  result.conclusive = !answer.local;
  if (!answer.failure.empty())
    result.reason = std::move(answer.failure);
  else if (!result.passed)
    result.reason = "status " + std::to_string(answer.status);
  auto ms = std::chrono::duration_cast<milliseconds>(took).count();
  result.duration_ms = static_cast<std::uint32_t>(ms);
  return result;
}

} // namespace

void check_server(io_thread& io, const endpoint& server,
                  const health_check& how, std::chrono::milliseconds timeout,
                  std::function<void(check_outcome)> done) {
  std::make_shared<status_request>(io.context(), std::move(done))
    ->start(server, how, timeout);
}

probe_function make_http_probe(io_thread& io) {
  return [&io](const server& target, const health_check& how,
               std::chrono::milliseconds timeout,
               std::function<void(probe_result)> done) {
    auto port = how.port == 0 ? target.port : how.port;
    io.post([&io, id = target.id, where = endpoint{target.host, port}, how,
             timeout, done = std::move(done)] {
      auto started = std::chrono::steady_clock::now();
      check_server(
        io, where, how, timeout,
        [id, tcp_only = how.tcp_only, started, done](check_outcome answer) {
          done(judge(id, tcp_only, std::move(answer),
                     std::chrono::steady_clock::now() - started));
        });
    });
  };
}

} // namespace troupe

#include "http/client/http_probe.hpp"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "http/client/known_address.hpp"
#include "http/client/local_failure.hpp"

namespace troupe {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
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

/// One GET. Its handlers keep it alive.
class status_request : public std::enable_shared_from_this<status_request> {
public:
  status_request(asio::io_context& loop, std::function<void(http_status)> done)
    : resolver_(loop), socket_(loop), timer_(loop), buffer_(max_header_bytes),
      done_(std::move(done)) {
    parser_.skip(true);
  }

  void start(const endpoint& server, const std::string& path,
             std::chrono::milliseconds timeout) {
    request_.method(http::verb::get);
    request_.target(path);
    request_.set(http::field::host, to_string(server));
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
          self->write();
      });
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
    http::async_read_header(
      socket_, buffer_, parser_,
      [self = shared_from_this()](error_code failure, std::size_t) {
        if (self->proceeds(failure))
          self->finish({self->parser_.get().result_int(), {}, false});
      });
  }

  void finish(http_status result) {
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
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::empty_body> parser_;
  std::function<void(http_status)> done_;
};

probe_result judge(std::string server_id, http_status answer,
                   std::chrono::steady_clock::duration took) {
  using std::chrono::milliseconds;
  probe_result result;
  result.server_id = std::move(server_id);
  result.passed = answer.status >= 200 && answer.status < 400;
  result.conclusive = !answer.local;
  if (answer.status == 0)
    result.reason = std::move(answer.failure);
  else if (!result.passed)
    result.reason = "status " + std::to_string(answer.status);
  auto ms = std::chrono::duration_cast<milliseconds>(took).count();
  result.duration_ms = static_cast<std::uint32_t>(ms);
  return result;
}

} // namespace

void fetch_status(io_thread& io, const endpoint& server,
                  const std::string& path, std::chrono::milliseconds timeout,
                  std::function<void(http_status)> done) {
  std::make_shared<status_request>(io.context(), std::move(done))
    ->start(server, path, timeout);
}

probe_function make_http_probe(io_thread& io) {
  return [&io](const server& target, const std::string& path,
               std::chrono::milliseconds timeout,
               std::function<void(probe_result)> done) {
    io.post([&io, id = target.id, where = endpoint{target.host, target.port},
             path, timeout, done = std::move(done)] {
      auto started = std::chrono::steady_clock::now();
      fetch_status(io, where, path, timeout,
                   [id, started, done](http_status answer) {
                     done(judge(id, std::move(answer),
                                std::chrono::steady_clock::now() - started));
                   });
    });
  };
}

} // namespace troupe

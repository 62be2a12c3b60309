#include "node/demo_backend.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "http/parsing/message_parser.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t max_head_bytes = 64 << 10;
constexpr std::uint64_t max_body_limit = 64 << 20;

/// What a request's query asks of the answer.
struct demands {
  std::uint64_t status = 200;
  std::uint64_t delay_ms = 0;
  std::uint64_t bytes = 0;
  bool asks_bytes = false;
};

demands read_demands(std::string_view target) {
  demands result;
  auto mark = target.find('?');
  auto query =
    mark == target.npos ? std::string_view{} : target.substr(mark + 1);
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    auto equals = pair.find('=');
    if (equals == pair.npos)
      continue;
    std::uint64_t number = 0;
    std::from_chars(pair.data() + equals + 1, pair.data() + pair.size(),
                    number);
    auto name = pair.substr(0, equals);
    if (name == "status")
      result.status = std::clamp<std::uint64_t>(number, 200, 599);
    else if (name == "delay_ms")
      result.delay_ms = std::min<std::uint64_t>(number, 600000);
    else if (name == "bytes")
      result.bytes = std::min(number, max_body_limit), result.asks_bytes = true;
  }
  return result;
}

/// Keeps a request's head and counts the bytes of its body.
class demo_request final : public message_parser<true> {
public:
  demo_request() : message_parser(max_head_bytes) {
    max_body_bytes(max_body_limit);
  }

  int version = 11;
  std::string method;
  std::string target;
  nlohmann::json headers = nlohmann::json::object();
  std::uint64_t body_bytes = 0;

private:
  error_code take_request_line(verb, std::string_view name,
                               std::string_view what, int which) override {
    method = name;
    target = what;
    version = which;
    return {};
  }

  error_code take_field(field, std::string_view name,
                        std::string_view value) override {
    headers[std::string{name}] = value;
    return {};
  }

  error_code take_header_end() override { return {}; }

  error_code take_body(std::string_view bytes) override {
    body_bytes += bytes.size();
    return {};
  }

  error_code take_chunk_body(std::uint64_t, std::string_view bytes) override {
    return take_body(bytes);
  }
};

/// A client's connection: one request after the other.
class demo_connection : public std::enable_shared_from_this<demo_connection> {
public:
  demo_connection(tcp::socket socket, std::string name)
    : socket_(std::move(socket)), timer_(socket_.get_executor()),
      name_(std::move(name)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
  }

  void read() {
    request_.emplace();
    parse();
  }

private:
  void parse() {
    error_code failure;
    input_.erase(0, request_->parse(input_, failure));
    if (failure == http::error::need_more)
      read_some();
    else if (!failure)
      answer();
  }

  void read_some() {
    constexpr std::size_t piece = 16 << 10;
    auto size = input_.size();
    input_.resize(size + piece);
    socket_.async_read_some(
      asio::buffer(input_.data() + size, piece),
      [self = shared_from_this(), size](error_code failure, std::size_t count) {
        self->input_.resize(size + count);
        if (!failure)
          self->parse();
      });
  }

  void answer() {
    auto asked = read_demands(request_->target);
    auto is_health = request_->target == "/health";
    response_ = {};
    response_.version(static_cast<unsigned>(request_->version));
    response_.result(static_cast<unsigned>(is_health ? 200 : asked.status));
    response_.keep_alive(request_->keep_alive());
    response_.set(http::field::server, name_);
    if (asked.asks_bytes) {
      response_.set(http::field::content_type, "application/octet-stream");
      response_.body().assign(asked.bytes, 'x');
    } else {
      response_.set(http::field::content_type, "application/json");
      response_.body() = is_health ? health_body() : describe_request();
    }
    finish_head();
    timer_.expires_after(std::chrono::milliseconds{asked.delay_ms});
    if (asked.delay_ms == 0)
      write();
    else
      timer_.async_wait([self = shared_from_this()](error_code cancelled) {
        if (!cancelled)
          self->write();
      });
  }

  void finish_head() {
    auto status = response_.result_int();
    if (status == 204 || status == 304) {
      // Neither a body nor its length (RFC 9110 §8.6).
      response_.body().clear();
      response_.erase(http::field::content_type);
      return;
    }
    response_.prepare_payload();
    if (request_->is_head_request())
      response_.body().clear();
  }

  std::string health_body() const {
    return nlohmann::json{{"status", "healthy"}, {"name", name_}}.dump() + "\n";
  }

  std::string describe_request() const {
    nlohmann::ordered_json body{
      {"name", name_},
      {"method", request_->method},
      {"path", request_->target},
      {"headers", request_->headers},
      {"bodyBytes", request_->body_bytes},
    };
    // For people: each member on its line.
    return body.dump(2, ' ', false,
                     nlohmann::ordered_json::error_handler_t::replace)
           + "\n";
  }

  void write() {
    // `prepare_payload` has set the length, which HEAD keeps without a body.
    http::async_write(
      socket_, response_,
      [self = shared_from_this()](error_code failure, std::size_t) {
        if (failure)
          return;
        if (self->response_.keep_alive())
          self->read();
        else
          self->socket_.shutdown(tcp::socket::shutdown_send, failure);
      });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  std::string name_;
  /// What was read and not yet parsed.
  std::string input_;
  std::optional<demo_request> request_;
  http::response<http::string_body> response_;
};

/// Takes connections as long as it lives.
class demo_listener {
public:
  demo_listener(tcp::acceptor& acceptor, const std::string& name)
    : acceptor_(acceptor), pause_(acceptor.get_executor()), name_(name) {}

  void accept() {
    acceptor_.async_accept([this](error_code failure, tcp::socket socket) {
      if (failure) {
        accept_later();
        return;
      }
      std::make_shared<demo_connection>(std::move(socket), name_)->read();
      accept();
    });
  }

private:
  /// Usually there are no descriptors left.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([this](error_code cancelled) {
      if (!cancelled)
        accept();
    });
  }

  tcp::acceptor& acceptor_;
  asio::steady_timer pause_;
  const std::string& name_;
};

} // namespace

caf::error run_demo_backend(const endpoint& listen, const std::string& name) {
  asio::io_context loop{1};
  tcp::acceptor acceptor{loop};
  try {
    tcp::resolver resolver{loop};
    auto where = resolver
                   .resolve(listen.host, std::to_string(listen.port),
                            tcp::resolver::passive)
                   .begin()
                   ->endpoint();
    acceptor.open(where.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    acceptor.bind(where);
    acceptor.listen();
  } catch (const boost::system::system_error& failure) {
    return make_error(errc::unavailable, "the demo backend can't listen on "
                                           + to_string(listen) + ": "
                                           + failure.code().message());
  }
  asio::signal_set signals{loop, SIGINT, SIGTERM};
  signals.async_wait([&](error_code, int) { loop.stop(); });
  demo_listener listener{acceptor, name};
  listener.accept();
  loop.run();
  return caf::none;
}

} // namespace troupe

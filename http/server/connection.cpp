#include "http/server/connection.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <random>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include <netinet/tcp.h>

#include <caf/make_counted.hpp>

namespace troupe {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t small_buffer = 4 << 10;
constexpr std::size_t large_buffer = 64 << 10;

/// Answers of pipelined requests that are sent together.
constexpr std::size_t write_batch = 64 << 10;

/// Answers of that size are given even when the budget is spent: a node must be
/// able to say that it is well, or what is wrong.
constexpr std::size_t small_answer = 4 << 10;

/// The kernel takes no more than this and a segment of what it can't send yet:
/// what it holds is in no budget.
using unsent_limit =
  boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
constexpr int max_unsent = 32 << 10;

/// 13 characters, so that it needs no heap.
std::string make_request_id() {
  static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuv";
  thread_local std::mt19937_64 engine{std::random_device{}()};
  auto bits = engine();
  std::string result(13, '0');
  for (auto& c : result) {
    c = digits[bits & 31];
    bits >>= 5;
  }
  return result;
}

} // namespace

/// Lets `append` add to `out_` and counts what it added.
template <class Append>
void http_connection::append_output(Append append) {
  auto before = out_.size();
  append();
  answer_bytes_ += out_.size() - before;
  server_->answers_.take(out_.size() - before);
}

http_connection::http_connection(std::shared_ptr<http_server> server,
                                 boost::asio::ip::tcp::socket socket,
                                 bool counted)
  : server_(std::move(server)), socket_(std::move(socket)),
    channel_(caf::make_counted<connection_channel>(server_->io_, this)),
    counted_(counted) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
  socket_.set_option(unsent_limit{max_unsent}, ignored);
  auto peer = socket_.remote_endpoint(ignored);
  remote_address_ = peer.address().to_string();
}

http_connection::~http_connection() {
  channel_->detach();
  give_back(answer_bytes_);
}

void http_connection::start() {
  enter(phase::head, server_->config_.header_timeout);
  read();
}

void http_connection::refuse() {
  fail(503, errc::overloaded,
       "the limit of " + std::to_string(server_->config_.max_connections)
         + " connections is reached");
}

void http_connection::drain() {
  auto unasked = phase_ == phase::head && !parser_;
  if (phase_ == phase::idle || unasked)
    enter(phase::idle, server_->config_.idle_grace);
}

void http_connection::close() {
  if (phase_ == phase::closed)
    return;
  phase_ = phase::closed;
  auto self = shared_from_this();
  channel_->detach();
  error_code ignored;
  socket_.close(ignored);
  std::string{}.swap(out_);
  std::string{}.swap(sending_);
  give_back(answer_bytes_);
  server_->remove(position_);
}

void http_connection::enter(phase next, std::chrono::milliseconds limit) {
  phase_ = next;
  deadline_ = clock::now() + limit;
}

void http_connection::check_deadline(clock::time_point now) {
  if (writing_ && now >= write_deadline_) {
    ++server_->counters_.slow_readers;
    return close();
  }
  // A client that does not take answers may be late with its next request.
  if (now < deadline_ || (writing_ && phase_ != phase::handling))
    return;
  auto& config = server_->config_;
  auto count = [this] { ++server_->counters_.timeouts; };
  switch (phase_) {
    case phase::idle:
      close();
      break;
    case phase::head:
      count();
      fail(408, errc::timed_out,
           "no complete request head within "
             + std::to_string(config.header_timeout.count()) + " ms");
      break;
    case phase::body:
      count();
      fail(408, errc::timed_out,
           "no complete request body within "
             + std::to_string(config.body_timeout.count()) + " ms");
      break;
    case phase::handling:
      count();
      answer(sequence_,
             {504,
              json_type,
              server_->handlers_.render_failure(
                {504, errc::timed_out,
                 "no answer within "
                   + std::to_string(config.request_deadline.count()) + " ms",
                 path_, request_id_}),
              {}});
      break;
    case phase::lingering:
      close();
      break;
    case phase::closed:
      break;
  }
}

/// The client's time counts from when it could read our last answer.
void http_connection::restart_deadline() {
  auto& config = server_->config_;
  if (phase_ == phase::idle)
    enter(phase_, server_->draining_ ? config.idle_grace : config.idle_timeout);
  else if (phase_ == phase::head)
    enter(phase_, config.header_timeout);
  else if (phase_ == phase::body)
    enter(phase_, config.body_timeout);
}

// -- reading ------------------------------------------------------------------

void http_connection::make_room() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // Large only for a client that really sends: many may say that they will.
  auto full = end_ == capacity_;
  auto wanted =
    phase_ == phase::body && read_full_ ? large_buffer : small_buffer;
  if (full)
    wanted = std::max(wanted, capacity_ * 2);
  auto shrinks = end_ == 0 && capacity_ > wanted;
  if (wanted <= capacity_ && !shrinks)
    return;
  body_share share{server_->bodies_};
  if (wanted > small_buffer && !share.grow(wanted) && !full)
    return; // Reads go on, in smaller pieces.
  buffer_share_ = std::move(share);
  auto larger = std::make_unique<char[]>(wanted);
  if (end_ > 0)
    std::memcpy(larger.get(), buffer_.get(), end_);
  buffer_ = std::move(larger);
  capacity_ = wanted;
}

void http_connection::read() {
  if (reading_ || writing_ || phase_ == phase::handling
      || phase_ == phase::closed)
    return;
  make_room();
  reading_ = true;
  socket_.async_read_some(
    boost::asio::buffer(buffer_.get() + end_, capacity_ - end_),
    [self = shared_from_this()](const error_code& failure, std::size_t n) {
      self->on_read(failure, n);
    });
}

void http_connection::on_read(const error_code& failure, std::size_t count) {
  reading_ = false;
  if (phase_ == phase::closed)
    return;
  if (failure)
    return close();
  end_ += count;
  read_full_ = end_ == capacity_;
  if (phase_ == phase::lingering) {
    begin_ = end_ = 0;
    return read();
  }
  go_on();
}

void http_connection::go_on() {
  auto self = shared_from_this();
  while (process() && flush())
    ;
  if (flush())
    read();
}

/// Handles what was read. True: it stopped only to have the answers sent.
bool http_connection::process() {
  processing_ = true;
  // Without room, answers do not even wait for others to be sent with.
  auto full = [this] {
    return out_.size() >= write_batch
           || (!out_.empty() && !server_->answers_.has_room(0));
  };
  auto expects_bytes = [this] {
    return phase_ == phase::idle || phase_ == phase::head
           || phase_ == phase::body;
  };
  while (!last_answer_ && !writing_ && !full() && expects_bytes()
         && begin_ < end_ && parse())
    ;
  processing_ = false;
  return full() && !writing_ && !last_answer_;
}

/// Parses up to the end of a request. False: it takes more bytes, or failed.
bool http_connection::parse() {
  if (!parser_) {
    // RFC 9112 §2.2: an empty line before a request is to be ignored.
    while (unparsed().starts_with("\r\n"))
      begin_ += 2;
    if (unparsed().empty() || unparsed() == "\r")
      return false;
    parser_.emplace(server_->config_, server_->bodies_);
    head_seen_ = false;
    if (phase_ == phase::idle)
      enter(phase::head, server_->config_.header_timeout);
  }
  error_code failure;
  begin_ += parser_->parse(unparsed(), failure);
  if (failure && failure != http::error::need_more) {
    auto why = parser_->why_refused(failure);
    fail(why.status, why.code, std::move(why.detail), std::move(why.field));
    return false;
  }
  if (parser_->is_done()) {
    dispatch();
    return true;
  }
  if (parser_->is_header_done() && !head_seen_)
    on_head();
  return false;
}

void http_connection::on_head() {
  head_seen_ = true;
  enter(phase::body, server_->config_.body_timeout);
  if (parser_->expects_continue() && begin_ == end_)
    append_output([this] { out_ += "HTTP/1.1 100 Continue\r\n\r\n"; });
}

void http_connection::dispatch() {
  enter(phase::handling, server_->config_.request_deadline);
  ++sequence_;
  started_ = deadline_ - server_->config_.request_deadline;
  auto& request = parser_->request;
  if (request.request_id.empty())
    request.request_id = make_request_id();
  request.remote_address = remote_address_;
  request.deadline = deadline_;
  request_id_ = request.request_id;
  path_ = request.path();
  keep_alive_ = parser_->keep_alive() && !server_->draining_;
  http_1_1_ = parser_->http_1_1();
  head_only_ = request.method == http_verb::head;
  safe_ = head_only_ || request.method == http_verb::get;
  auto exchange =
    caf::make_counted<http_exchange>(std::move(request), channel_, sequence_);
  parser_.reset();
  server_->handlers_.on_request(std::move(exchange));
}

// -- answering ----------------------------------------------------------------

void http_connection::answer(std::uint64_t sequence,
                             const http_response& what) {
  if (phase_ != phase::handling || sequence != sequence_)
    return; // It was answered in the handler's place.
  using std::chrono::duration_cast;
  auto fits = may_write(what);
  if (phase_ == phase::closed)
    return; // To make room for others.
  if (fits)
    write(what);
  else
    write(too_much_unread());
  enter(phase::idle, server_->config_.idle_timeout);
  auto spent = deadline_ - server_->config_.idle_timeout - started_;
  server_->counters_.handling_us +=
    duration_cast<std::chrono::microseconds>(spent).count();
  if (!processing_)
    go_on();
}

void http_connection::abandoned(std::uint64_t sequence) {
  answer(sequence, {503,
                    json_type,
                    server_->handlers_.render_failure(
                      {503, errc::unavailable,
                       "the handler ended before it answered; try again", path_,
                       request_id_}),
                    {}});
}

void http_connection::write(const http_response& what) {
  if (server_->draining_)
    keep_alive_ = false;
  last_answer_ = !keep_alive_;
  auto status_class = std::min(what.status / 100, 5u);
  ++server_->counters_.answers[status_class];
  append_output([&] {
    append_response(out_, what,
                    {request_id_, server_->date_.at(std::time(nullptr)),
                     security_headers(), keep_alive_, http_1_1_, head_only_});
  });
}

/// The answer to a change is given whatever it costs: 503 would say that
/// nothing happened. Such answers are short.
bool http_connection::may_write(const http_response& what) {
  return !safe_ || head_only_ || what.body.size() <= small_answer
         || server_->make_room(what.body.size());
}

http_response http_connection::too_much_unread() {
  return {503,
          json_type,
          server_->handlers_.render_failure(
            {503, errc::overloaded,
             "too much of what other clients asked for is not read yet; try "
             "again later",
             path_, request_id_}),
          {{"Retry-After", "1"}}};
}

/// Answers a request that won't be handled, and ends the connection: where the
/// next request would begin is not known.
void http_connection::fail(unsigned status, errc code, std::string detail,
                           std::string field) {
  http_request none;
  auto& request = parser_ ? parser_->request : none;
  request_id_ =
    request.request_id.empty() ? make_request_id() : request.request_id;
  head_only_ = parser_ && parser_->is_head_request();
  keep_alive_ = false;
  http_response answer;
  answer.status = status;
  answer.body = server_->handlers_.render_failure(
    {status, code, std::move(detail), request.path(), request_id_,
     std::move(field)});
  if (status == 503)
    answer.headers.emplace_back("Retry-After", "1");
  write(answer);
  if (!processing_)
    flush();
}

} // namespace troupe

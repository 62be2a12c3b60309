#include "http/proxy/session.hpp"

#include <ctime>

#include "http/proxy/problem.hpp"

namespace troupe::proxying {

namespace {

namespace http = boost::beast::http;

/// What a string keeps of its memory between two requests.
constexpr std::size_t idle_capacity = 16 << 10;

/// How long a client may take to read a last answer before the connection is
/// cut.
constexpr std::chrono::milliseconds linger_time{2000};

void recycle(std::string& text) {
  if (text.capacity() > idle_capacity)
    std::string{}.swap(text); // Assigning an empty one keeps the memory.
  text.clear();
}

} // namespace

session::session(proxy_context& context, stream_ptr client, std::string address,
                 bool admitted)
  : context_(context), client_(std::move(client)), address_(std::move(address)),
    admitted_(admitted),
    is_trusted_(contains(context.config.trusted_proxies, address_)) {
}

void session::start(std::list<std::shared_ptr<session>>::iterator position) {
  position_ = position;
  client_->observe(this);
  set_deadline(context_.config.client_header_timeout);
  client_->read();
}

void session::refuse(std::list<std::shared_ptr<session>>::iterator position) {
  position_ = position;
  ++context_.refused_open;
  client_->observe(this);
  answer({503, proxy_cause::too_many_connections},
         "this node has " + std::to_string(context_.config.max_connections)
           + " connections, its limit; try again later");
}

void session::set_deadline(std::chrono::milliseconds from_now) {
  deadline_ = clock::now() + from_now;
}

void session::on_bytes(stream& from) {
  auto self = shared_from_this();
  if (phase_ == phase::tunnel)
    pump(from);
  else if (&from == client_.get())
    on_client_bytes();
  else
    forward_response();
}

void session::on_written(stream& to) {
  auto self = shared_from_this();
  auto is_client = &to == client_.get();
  (is_client ? writing_client_ : writing_upstream_) = false;
  if (phase_ == phase::tunnel) {
    pump(is_client ? *upstream_ : *client_);
  } else if (!is_client) {
    on_request_sent();
  } else if (phase_ == phase::answering) {
    end_request(keep_after_answer_);
  } else {
    if (response_head_done_)
      set_deadline(context_.config.body_idle_timeout);
    forward_response();
  }
}

void session::on_ended(stream& from, error_code why) {
  auto self = shared_from_this();
  if (phase_ == phase::tunnel)
    on_tunnel_ended(from, why);
  else if (&from == client_.get())
    on_client_ended(why);
  else
    on_upstream_ended(why);
}

void session::on_write_failed(stream& to) {
  auto self = shared_from_this();
  if (phase_ == phase::tunnel || &to == client_.get()) {
    close();
  } else {
    writing_upstream_ = false;
    upstream_refuses_ = true;
  }
}

void session::on_client_bytes() {
  switch (phase_) {
    case phase::head:
      read_requests();
      break;
    case phase::exchanging:
      if (request_complete())
        listen_to_client();
      else if (!writing_upstream_)
        read_request_body();
      break;
    case phase::lingering:
      client_->consume(client_->inbound().size());
      client_->read();
      break;
    default:
      // Pipelined or early: it waits in the buffer.
      break;
  }
}

void session::on_client_ended(error_code why) {
  client_ended_ = true;
  auto waits_for_server =
    (phase_ == phase::connecting || phase_ == phase::exchanging)
    && request_complete() && !context_.config.abort_on_close;
  auto waits = phase_ == phase::answering || waits_for_server;
  if (why == boost::asio::error::eof && waits)
    return;
  close();
}

void session::read_requests() {
  // A loop, not recursion: each of many pipelined requests may be answered at
  // once.
  if (reading_requests_)
    return;
  reading_requests_ = true;
  while (phase_ == phase::head && read_request())
    ;
  reading_requests_ = false;
}

bool session::read_request() {
  if (!request_) {
    // An empty line before a request is ignored (RFC 9112 §2.2).
    while (client_->inbound().starts_with("\r\n"))
      client_->consume(2);
    if (client_->inbound().empty() || client_->inbound() == "\r") {
      if (client_ended_)
        close();
      else
        client_->read();
      return false;
    }
    set_deadline(context_.config.client_header_timeout);
    table_ = context_.routing();
    request_.emplace(
      request_forwarder::options{address_, context_.config.max_header_bytes,
                                 is_trusted_, context_.config.via,
                                 table_->loop_token},
      to_upstream_, request_id_, context_.ids);
  }
  error_code failure;
  client_->consume(request_->forward(client_->inbound(), failure));
  if (failure && failure != http::error::need_more) {
    auto refused = request_->why_refused(failure);
    answer(
      {static_cast<std::uint16_t>(refused.status), proxy_cause::bad_request},
      refused.detail);
    return true;
  }
  if (request_->is_header_done()) {
    begin_exchange();
    return true;
  }
  if (client_ended_)
    close();
  else if (!client_->read())
    answer({431, proxy_cause::bad_request},
           "the header does not fit the buffer");
  return false;
}

void session::answer(own_answer what, std::string_view detail,
                     std::string_view for_log) {
  auto status = what.status;
  auto logged = std::string{detail};
  if (!for_log.empty())
    logged.append("; ").append(for_log);
  context_.count_own(what, logged);
  drop_upstream();
  keep_after_answer_ =
    request_complete() && request_->keep_alive() && !context_.draining;
  to_client_.clear();
  if (request_id_.empty())
    context_.ids.next(request_id_);
  append_problem(to_client_,
                 {status, problem_code(status), detail, instance_, request_id_,
                  context_.date.at(std::time(nullptr)), keep_after_answer_,
                  request_ && request_->is_http_1_0(),
                  request_ && request_->is_head()});
  phase_ = phase::answering;
  set_deadline(context_.config.body_idle_timeout);
  flush_answer();
}

void session::flush_answer() {
  auto result = client_->write(to_client_);
  to_client_.clear();
  switch (result) {
    case stream::write_result::done:
      end_request(keep_after_answer_);
      break;
    case stream::write_result::pending:
      writing_client_ = true;
      break;
    case stream::write_result::failed:
      close();
  }
}

void session::end_request(bool keep_client) {
  auto complete = request_complete();
  is_first_request_ = false;
  request_.reset();
  response_.reset();
  table_.reset();
  pool_ = nullptr;
  instance_.clear();
  recycle(to_upstream_);
  recycle(to_client_);
  if (keep_client) {
    phase_ = phase::head;
    set_deadline(context_.draining ? context_.config.idle_grace
                                   : context_.config.keep_alive_timeout);
    read_requests();
  } else if (complete || client_ended_) {
    close();
  } else {
    linger();
  }
}

void session::linger() {
  // Closing with unread bytes would reset the connection and could destroy
  // the answer on its way (RFC 9112 §9.6).
  phase_ = phase::lingering;
  set_deadline(linger_time);
  client_->shutdown_send();
  client_->consume(client_->inbound().size());
  client_->read();
}

void session::check_deadline(clock::time_point now) {
  if (now < deadline_ || phase_ == phase::closed)
    return;
  auto self = shared_from_this();
  switch (phase_) {
    case phase::head:
      if (request_)
        answer({408, proxy_cause::slow_client},
               "the request's header did not arrive in time");
      else
        close();
      break;
    case phase::connecting:
      connector_->cancel();
      connect_failed("connecting timed out", {504, proxy_cause::unreachable});
      break;
    case phase::exchanging:
      exchange_timed_out();
      break;
    default:
      close();
  }
}

void session::drain() {
  auto self = shared_from_this();
  if (phase_ == phase::tunnel)
    close();
  else if (phase_ == phase::head && !request_)
    set_deadline(context_.config.idle_grace);
}

void session::close() {
  if (phase_ == phase::closed)
    return;
  phase_ = phase::closed;
  drop_upstream();
  own_connections_.clear();
  client_->close();
  context_.forget(position_);
}

} // namespace troupe::proxying

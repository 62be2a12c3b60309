// The part of `session` that talks to a server.

#include "http/proxy/session.hpp"

#include <algorithm>
#include <utility>

namespace troupe::proxying {

namespace {

namespace http = boost::beast::http;

/// How often a request may come through the cluster. More than once is no
/// mistake yet: a server of one service may itself be a client of another.
constexpr std::uint32_t max_passes = 4;

} // namespace

void session::begin_exchange() {
  instance_ = request_->target();
  table_ = context_.routing();
  if (request_->passes() >= max_passes) {
    answer({508, proxy_cause::loop}, "the request came through this cluster "
                                       + std::to_string(request_->passes())
                                       + " times already");
    return;
  }
  auto service = table_->match(request_->host(), instance_);
  if (service.empty()) {
    answer({404, proxy_cause::no_route}, "no route takes this host and path");
    return;
  }
  auto pool = table_->pools.find(service);
  if (pool == table_->pools.end()) {
    answer({503, proxy_cause::no_server},
           "service '" + std::string{service} + "' has no servers");
    return;
  }
  pool_ = &pool->second;
  if (pool_->schedule.empty()) {
    answer({503, proxy_cause::no_server}, pool_->unavailable_reason);
    return;
  }
  turn_ = pool_->next_turn();
  tried_.clear();
  attempts_ = 0;
  attempt();
}

const upstream* session::next_server() {
  if (attempts_ >= context_.config.max_attempts)
    return nullptr;
  // Elsewhere nobody knows the user.
  if (attempts_ == 0 && !bound_server_.empty())
    for (auto& server : pool_->servers)
      if (server.id == bound_server_ && own_connections_.contains(server.id)
          && own_connections_.at(server.id).size() > 0)
        return &server;
  return context_.choose(*pool_, turn_, tried_, clock::now());
}

void session::attempt() {
  auto* server = next_server();
  if (server == nullptr) {
    // Where servers are is nothing for the public.
    answer(last_answer_,
           "no server of service '" + pool_->service + "' could be reached, "
             + std::to_string(attempts_) + " tried",
           last_failure_);
    return;
  }
  ++attempts_;
  enter_backend(*server);
  while (auto connection = take_connection()) {
    // What can't be repeated must not meet a connection whose end has not been
    // read yet.
    if (can_repeat() || connection->is_quiet()) {
      use(std::move(connection), true);
      return;
    }
    connection->close();
  }
  connect();
}

bool session::can_repeat() const {
  return request_->is_idempotent() && !request_->has_body();
}

stream_ptr session::take_connection() {
  auto own = own_connections_.find(backend_->server().id);
  if (own != own_connections_.end())
    if (auto connection = own->second.take())
      return connection;
  auto is_risky = is_first_request_ && !can_repeat();
  switch (context_.config.reuse) {
    case connection_reuse::never:
      return nullptr;
    case connection_reuse::safe:
      return is_risky ? nullptr : backend_->idle.take();
    case connection_reuse::aggressive:
      return backend_->idle.take(is_risky);
    case connection_reuse::always:
      break;
  }
  return backend_->idle.take();
}

void session::connect() {
  auto descriptor = context_.take_descriptor();
  if (!descriptor) {
    connect_failed("this node has no descriptor left for a connection",
                   {503, proxy_cause::no_resources});
    return;
  }
  phase_ = phase::connecting;
  set_deadline(context_.config.connect_timeout);
  connector_ = connector::start(
    context_.io.context(), backend_, std::move(descriptor),
    [this](error_code failure, tcp_socket socket, descriptor_share share) {
      on_connected(failure, std::move(socket), std::move(share));
    });
  // Learn when the client goes away meanwhile.
  if (request_complete())
    listen_to_client();
}

void session::on_connected(error_code failure, tcp_socket socket,
                           descriptor_share descriptor) {
  auto self = shared_from_this();
  connector_.reset();
  if (failure) {
    auto answer = is_local_failure(failure)
                    ? own_answer{503, proxy_cause::no_resources}
                    : own_answer{502, proxy_cause::unreachable};
    connect_failed(failure.message(), answer);
    return;
  }
  backend_->passive.connected();
  ++backend_->counters.connections;
  auto buffer = std::max(max_buffer, context_.config.max_header_bytes);
  use(
    std::make_shared<stream>(std::move(socket), buffer, std::move(descriptor)),
    false);
}

void session::connect_failed(std::string why, own_answer answer) {
  connector_.reset();
  auto& server = backend_->server();
  last_failure_ = to_string(endpoint{server.host, server.port}) + ": " + why;
  last_answer_ = answer;
  // Else this node lacks what a connection takes.
  auto is_servers = answer.cause == proxy_cause::unreachable;
  if (is_servers)
    backend_->passive.connect_failed(clock::now());
  tried_.push_back(server.id);
  leave_backend(is_servers);
  attempt();
}

void session::use(stream_ptr upstream, bool reused) {
  upstream_ = std::move(upstream);
  upstream_->observe(this);
  reused_ = reused;
  upstream_ended_ = false;
  upstream_refuses_ = false;
  response_begun_ = false;
  response_head_done_ = false;
  phase_ = phase::exchanging;
  if (request_->authenticates_connection())
    upstream_->bind_to_user();
  if (!request_->names_host()) {
    auto& server = backend_->server();
    request_->name_host(to_string(endpoint{server.host, server.port}));
  }
  begin_response();
  send_request();
  // Of a pooled connection this read is under way since it is in the pool.
  if (phase_ == phase::exchanging)
    upstream_->read();
}

void session::begin_response() {
  auto keep = request_->keep_alive() && !context_.draining;
  response_.emplace(
    response_forwarder::options{request_->is_head(), request_->is_http_1_0(),
                                keep, request_id_,
                                context_.config.max_header_bytes},
    to_client_);
}

void session::send_request() {
  if (request_complete()) {
    request_ended_ = clock::now();
    deadline_ = request_ended_ + context_.config.response_header_timeout;
  } else {
    set_deadline(context_.config.body_idle_timeout);
  }
  switch (upstream_->write(to_upstream_)) {
    case stream::write_result::done:
      on_request_sent();
      break;
    case stream::write_result::pending:
      writing_upstream_ = true;
      break;
    case stream::write_result::failed:
      // The server may have answered before it closed: what can be read
      // decides.
      upstream_refuses_ = true;
  }
}

void session::on_request_sent() {
  // What can be sent again is kept.
  if (!can_retry())
    to_upstream_.clear();
  if (request_complete()) {
    listen_to_client();
    return;
  }
  set_deadline(context_.config.body_idle_timeout);
  read_request_body();
}

void session::read_request_body() {
  if (upstream_refuses_)
    return;
  auto bytes = client_->inbound();
  if (bytes.empty()) {
    client_->read();
    return;
  }
  error_code failure;
  client_->consume(request_->forward(bytes, failure));
  if (failure && failure != http::error::need_more) {
    auto refused = request_->why_refused(failure);
    fail_exchange(
      {static_cast<std::uint16_t>(refused.status), proxy_cause::bad_request},
      refused.detail);
    return;
  }
  if (!request_complete() && !client_->read()) {
    fail_exchange({400, proxy_cause::bad_request},
                  "a chunk header or the trailers are too long");
    return;
  }
  if (to_upstream_.empty())
    return;
  send_request();
}

void session::listen_to_client() {
  // Only to learn when it goes away; what it pipelines stays in the buffer,
  // and while that is full the read waits.
  if (!client_ended_ && client_->inbound().empty())
    client_->read();
}

void session::forward_response() {
  while (phase_ == phase::exchanging && !writing_client_) {
    if (upstream_->inbound().empty()) {
      if (upstream_ended_)
        end_of_upstream();
      else
        upstream_->read();
      return;
    }
    if (!parse_response())
      return;
  }
}

bool session::parse_response() {
  response_begun_ = true;
  // A client that still sends when the answer begins is not listened to for
  // another request: nobody reads the rest of this one.
  if (!response_head_done_ && (context_.draining || !request_complete()))
    response_->close_client();
  error_code failure;
  upstream_->consume(response_->forward(upstream_->inbound(), failure));
  auto needs_more = failure == http::error::need_more;
  if (failure && !needs_more) {
    fail_exchange({502, proxy_cause::bad_answer},
                  "the server's answer is not valid HTTP/1.1: "
                    + failure.message());
    return false;
  }
  if (!response_head_done_ && response_->is_header_done()
      && !on_response_head())
    return false;
  if (response_head_done_) {
    if (response_->is_done()) {
      finish_response();
      return false;
    }
    set_deadline(context_.config.body_idle_timeout);
    if (!flush_response())
      return false;
  }
  if (!needs_more)
    return true;
  if (upstream_ended_)
    end_of_upstream();
  else if (!upstream_->read())
    fail_exchange({502, proxy_cause::bad_answer},
                  "the server's answer has lines that are too long");
  return false;
}

bool session::on_response_head() {
  if (response_->authenticates_connection())
    upstream_->bind_to_user();
  if (response_->is_interim()) {
    // An HTTP/1.0 client knows no interim answers (RFC 9110 §15.2).
    if (request_->is_http_1_0())
      to_client_.clear();
    begin_response();
    return flush_response();
  }
  auto waited = clock::now() - request_ended_;
  if (request_complete())
    backend_->counters.latency_us += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
  if (response_->status() == 101) {
    if (request_->wants_upgrade())
      begin_tunnel();
    else
      fail_exchange({502, proxy_cause::bad_answer},
                    "the server switched protocols unasked");
    return false;
  }
  response_head_done_ = true;
  return true;
}

bool session::flush_response() {
  if (to_client_.empty())
    return true;
  auto result = client_->write(to_client_);
  to_client_.clear();
  switch (result) {
    case stream::write_result::done:
      return true;
    case stream::write_result::pending:
      writing_client_ = true;
      return false;
    case stream::write_result::failed:
      close();
  }
  return false;
}

void session::finish_response() {
  // Of a request that is not whole yet nobody takes the rest: the client may
  // send it while the connection lingers (RFC 9112 §9.6).
  keep_after_answer_ = response_->keeps_client() && request_complete();
  release_upstream();
  auto failed = response_->status() >= 500;
  if (failed)
    backend_->passive.answer_failed(clock::now());
  else
    backend_->passive.answered();
  leave_backend(failed);
  phase_ = phase::answering;
  set_deadline(context_.config.body_idle_timeout);
  flush_answer();
}

void session::on_upstream_ended(error_code why) {
  upstream_ended_ = true;
  upstream_failure_ = why;
  if (phase_ == phase::exchanging)
    forward_response();
}

void session::end_of_upstream() {
  auto clean = upstream_failure_ == boost::asio::error::eof;
  if (response_head_done_) {
    error_code partial = http::error::partial_message;
    if (clean)
      response_->put_eof(partial);
    if (partial) {
      fail_exchange({502, proxy_cause::bad_answer},
                    "the server's answer ended early");
      return;
    }
    finish_response();
  } else if (can_retry()) {
    retry_on_new_connection();
  } else {
    fail_exchange({502, proxy_cause::bad_answer},
                  clean ? "the server closed the connection before it "
                          "answered"
                        : "the connection to the server broke: "
                            + upstream_failure_.message());
  }
}

bool session::can_retry() const {
  return reused_ && !response_begun_ && request_complete() && can_repeat();
}

void session::retry_on_new_connection() {
  // The server closed a connection that it thought idle (RFC 9112 §9.3.1). It
  // is the same attempt at the same server.
  upstream_->close();
  upstream_.reset();
  writing_upstream_ = false;
  connect();
}

void session::exchange_timed_out() {
  if (writing_client_) {
    // It does not take what the server has answered long ago.
    client_->reset();
    close();
  } else if (request_complete() || writing_upstream_ || upstream_refuses_) {
    fail_exchange({504, proxy_cause::slow_server},
                  "the server did not answer in time");
  } else {
    fail_exchange({408, proxy_cause::slow_client},
                  "the request's body did not arrive in time");
  }
}

void session::fail_exchange(own_answer what, std::string_view detail) {
  if (concerns_a_server(what.cause))
    backend_->passive.answer_failed(clock::now());
  leave_backend(what.status >= 500);
  if (!response_head_done_) {
    answer(what, detail);
    return;
  }
  // Part of the answer is with the client: it must not take it for the whole.
  if (response_->ends_with_connection())
    client_->reset();
  close();
}

void session::enter_backend(const upstream& server) {
  backend_ = context_.backend_of(server);
  ++backend_->counters.requests;
  ++backend_->counters.active;
  context_.unreported = true;
}

void session::leave_backend(bool failed) {
  if (!backend_)
    return;
  --backend_->counters.active;
  if (failed)
    ++backend_->counters.failures;
  context_.unreported = true;
  backend_.reset();
}

void session::release_upstream() {
  auto reusable = request_complete() && response_->keep_alive()
                  && !writing_upstream_ && !upstream_ended_
                  && !upstream_refuses_ && upstream_->inbound().empty()
                  && !context_.draining;
  if (reusable)
    keep_upstream();
  else
    upstream_->close();
  upstream_.reset();
  writing_upstream_ = false;
}

void session::keep_upstream() {
  auto is_own =
    upstream_->is_bound() || context_.config.reuse == connection_reuse::never;
  if (is_own && keep_after_answer_) {
    auto& id = backend_->server().id;
    if (upstream_->is_bound())
      bound_server_ = id;
    own_connections_.try_emplace(id, 1).first->second.keep(std::move(upstream_),
                                                           clock::now());
  } else if (!is_own && !context_.config.descriptors->is_scarce()) {
    backend_->idle.keep(std::move(upstream_), clock::now());
  } else {
    upstream_->close();
  }
}

void session::drop_upstream() {
  if (connector_)
    connector_->cancel();
  connector_.reset();
  if (upstream_)
    upstream_->close();
  upstream_.reset();
  writing_upstream_ = false;
  leave_backend(false);
}

} // namespace troupe::proxying

#include "discovery/transport/handshake.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

using boost::system::error_code;
namespace asio = boost::asio;

} // namespace

handshake::handshake(socket connected, tls_session::side which,
                     credential_source* own, handler done)
  : socket_(std::move(connected)), side_(which), own_(own),
    done_(std::move(done)) {
  error_code ignored;
  // Asio's own calls must not block either, where a peer sends less than hoped.
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

void handshake::start() {
  if (side_ == tls_session::side::server)
    when_ready(socket::wait_read, &handshake::look_at_first_byte);
  else if (own_)
    when_ready(socket::wait_write, &handshake::begin_tls);
  else
    send_greeting();
}

void handshake::abandon(caf::error why) {
  if (!done_)
    return;
  auto done = std::exchange(done_, nullptr);
  // Not when this is destroyed: a wait that is under way keeps it.
  error_code ignored;
  socket_.close(ignored);
  done(std::move(why));
}

void handshake::when_ready(wait_type what, void (handshake::*next)()) {
  socket_.async_wait(
    what, [self = shared_from_this(), next](const error_code& problem) {
      if (!self->done_)
        return;
      if (problem)
        self->refuse_broken(problem);
      else
        (self.get()->*next)();
    });
}

// -- TLS ----------------------------------------------------------------------

void handshake::look_at_first_byte() {
  error_code problem;
  char first = 0;
  has_looked_ = true;
  auto size =
    socket_.receive(asio::buffer(&first, 1), socket::message_peek, problem);
  if (problem == asio::error::would_block)
    return when_ready(socket::wait_read, &handshake::look_at_first_byte);
  if (problem)
    return refuse_broken(problem);
  if (who_speaks({&first, size}) != first_speaker::tls)
    return read_first_bytes();
  if (!own_)
    return refuse(first_speaker::tls);
  if (!tls_)
    return begin_tls();
  tls_->start_reading();
  step_tls();
}

void handshake::begin_tls() {
  // Not before the peer has shown that it means it: a session has 45 kB.
  tls_ = std::make_unique<tls_session>(*own_->current(),
                                       socket_.native_handle(), side_);
  step_tls();
}

void handshake::step_tls() {
  switch (is_secured_ ? tls_->await_data() : tls_->handshake()) {
    case tls_session::progress::done:
      if (is_secured_ || side_ == tls_session::side::server)
        return succeed();
      is_secured_ = true;
      return step_tls();
    case tls_session::progress::wants_read:
      return when_ready(socket::wait_read, has_looked_
                                             ? &handshake::step_tls
                                             : &handshake::look_at_first_byte);
    case tls_session::progress::wants_write:
      return when_ready(socket::wait_write, &handshake::step_tls);
    case tls_session::progress::failed:
      return abandon(make_error(tls_->is_broken_off() ? errc::unavailable
                                                      : errc::incompatible,
                                tls_->problem()));
  }
}

// -- without certificates, and whatever else comes ----------------------------

void handshake::send_greeting() {
  asio::async_write(
    socket_, asio::buffer(plain_greeting),
    [self = shared_from_this()](const error_code& problem, std::size_t) {
      if (!self->done_)
        return;
      if (problem)
        self->refuse_broken(problem);
      else if (self->side_ == tls_session::side::client)
        self->read_first_bytes();
      else
        self->succeed();
    });
}

void handshake::read_first_bytes() {
  auto rest = asio::buffer(received_) + received_size_;
  socket_.async_read_some(rest, [self = shared_from_this()](
                                  const error_code& problem, std::size_t size) {
    if (!self->done_)
      return;
    if (problem)
      return self->refuse_broken(problem);
    self->received_size_ += size;
    self->judge_first_bytes();
  });
}

void handshake::judge_first_bytes() {
  auto who = who_speaks({received_.data(), received_size_});
  if (who == first_speaker::unknown_yet)
    return read_first_bytes();
  if (own_ || who != first_speaker::plain_node)
    return refuse(who);
  if (side_ == tls_session::side::server)
    send_greeting();
  else
    succeed();
}

void handshake::refuse(first_speaker who) {
  // So that the other side can say what is wrong, too.
  if (own_ && who == first_speaker::plain_node)
    answer(tls_wanted);
  else if (!own_ && who == first_speaker::tls)
    answer(plain_greeting);
  abandon(make_error(errc::incompatible, std::string{describe(who)}));
}

void handshake::answer(std::string_view last_word) {
  error_code ignored;
  // A close with unread bytes is a reset, which would overtake the answer.
  std::array<char, 4096> unread;
  socket_.receive(asio::buffer(unread), 0, ignored);
  socket_.write_some(asio::buffer(last_word), ignored);
  socket_.shutdown(socket::shutdown_send, ignored);
}

void handshake::refuse_broken(const error_code& problem) {
  auto said_nothing = received_size_ == 0 && !tls_;
  if (problem == asio::error::eof)
    return abandon(
      make_error(errc::unavailable,
                 said_nothing ? "closed the connection without a word"
                              : "closed the connection during the handshake"));
  abandon(make_error(errc::unavailable,
                     "broke the connection: " + problem.message()));
}

void handshake::succeed() {
  auto done = std::exchange(done_, nullptr);
  done(established{std::move(socket_), std::move(tls_)});
}

} // namespace troupe

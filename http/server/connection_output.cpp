// The part of `http_connection` that sends.

#include "http/server/connection.hpp"

#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>

namespace troupe {

using boost::system::error_code;

namespace {

/// What is kept of a buffer's memory between answers.
constexpr std::size_t max_kept_bytes = 256 << 10;

} // namespace

/// Sends what waits. False: not all of it went, or nothing is to be read any
/// more.
bool http_connection::flush() {
  if (phase_ == phase::closed || writing_)
    return false;
  while (has_unsent()) {
    error_code failure;
    sent_ += socket_.write_some(
      boost::asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
      failure);
    if (failure == boost::asio::error::would_block) {
      send_rest();
      return false;
    }
    if (failure) {
      close();
      return false;
    }
  }
  if (last_answer_ && phase_ != phase::lingering) {
    linger();
    return false;
  }
  return true;
}

/// Takes what waits when all before it is sent.
bool http_connection::has_unsent() {
  if (sent_ < sending_.size())
    return true;
  sent_ = 0;
  if (sending_.capacity() > max_kept_bytes)
    std::string{}.swap(sending_); // Assigning an empty one keeps the memory.
  sending_.clear();
  std::swap(sending_, out_);
  return !sending_.empty();
}

/// Goes on when the kernel has room again.
void http_connection::send_rest() {
  writing_ = true;
  write_deadline_ = clock::now() + server_->config_.write_timeout;
  socket_.async_write_some(
    boost::asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
    [self = shared_from_this()](const error_code& failure, std::size_t count) {
      self->on_written(failure, count);
    });
}

void http_connection::on_written(const error_code& failure, std::size_t count) {
  writing_ = false;
  if (phase_ == phase::closed)
    return;
  if (failure)
    return close();
  sent_ += count;
  if (!flush())
    return;
  restart_deadline();
  go_on();
}

/// Closing at once would reset the connection while the client still sends, and
/// it might never see our answer.
void http_connection::linger() {
  error_code ignored;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  enter(phase::lingering, server_->config_.linger_timeout);
  parser_.reset();
  begin_ = end_ = 0;
  read();
}

} // namespace troupe

// The part of `http_connection` that sends.

#include "http/server/connection.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>

namespace troupe {

using boost::system::error_code;

namespace {

/// What is kept of a buffer's memory between answers. Idle connections have it
/// too, in no budget.
constexpr std::size_t max_kept_bytes = 8 << 10;

/// Bytes a second that a client must read when its memory is wanted.
constexpr std::uint64_t rate_when_short = 128 << 10;

std::chrono::milliseconds time_for(std::uint64_t bytes, std::uint64_t rate) {
  return std::chrono::milliseconds{bytes * 1000 / rate};
}

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
  give_back(sending_.size());
  sent_ = 0;
  waiting_since_ = {};
  if (sending_.capacity() > max_kept_bytes)
    std::string{}.swap(sending_); // Assigning an empty one keeps the memory.
  sending_.clear();
  std::swap(sending_, out_);
  return !sending_.empty();
}

void http_connection::give_back(std::uint64_t answer_bytes) {
  answer_bytes_ -= answer_bytes;
  server_->answers_.give_back(answer_bytes);
}

/// Whether the client reads too slowly for one whose memory others wait for.
bool http_connection::reads_slowly(clock::time_point now) const {
  return writing_
         && now > waiting_since_ + server_->config_.slow_reader_grace
                    + time_for(sent_, rate_when_short);
}

/// Goes on when the kernel has room again. A client that reads a byte now and
/// then makes progress, but is not given for ever.
void http_connection::send_rest() {
  auto& config = server_->config_;
  auto now = clock::now();
  writing_ = true;
  if (waiting_since_ == clock::time_point{})
    waiting_since_ = now;
  auto whole = time_for(sending_.size(), config.min_read_rate);
  write_deadline_ =
    config.write_timeout + std::min(now, waiting_since_ + whole);
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

#include "http/proxy/stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>

namespace troupe::proxying {

namespace {

constexpr std::size_t initial_capacity = 8 << 10;

} // namespace

using boost::system::error_code;

stream::stream(tcp_socket socket, std::size_t max_buffer,
               descriptor_share descriptor)
  : descriptor_(std::move(descriptor)), socket_(std::move(socket)),
    max_capacity_(max_buffer) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
}

bool stream::make_room() {
  if (begin_ == end_)
    begin_ = end_ = 0;
  if (end_ < capacity_)
    return true;
  if (begin_ > 0) {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  if (capacity_ >= max_capacity_)
    return false;
  auto bigger = capacity_ == 0 ? initial_capacity : capacity_ * 2;
  bigger = std::min(bigger, max_capacity_);
  // Not make_unique: zeroing the buffer would touch all its pages.
  std::unique_ptr<char[]> next{new char[bigger]};
  if (end_ > 0)
    std::memcpy(next.get(), data_.get(), end_);
  data_ = std::move(next);
  capacity_ = bigger;
  return true;
}

bool stream::read() {
  if (reading_)
    return true;
  if (!make_room())
    return false;
  reading_ = true;
  socket_.async_read_some(
    boost::asio::buffer(data_.get() + end_, capacity_ - end_),
    [self = shared_from_this()](error_code failure, std::size_t count) {
      self->on_read(failure, count);
    });
  return true;
}

void stream::on_read(error_code failure, std::size_t count) {
  reading_ = false;
  if (observer_ == nullptr)
    return;
  if (failure) {
    observer_->on_ended(*this, failure);
    return;
  }
  end_ += count;
  observer_->on_bytes(*this);
}

stream::write_result stream::write(std::string_view bytes) {
  if (!writing_.empty()) {
    waiting_.append(bytes);
    return write_result::pending;
  }
  if (bytes.empty())
    return write_result::done;
  error_code failure;
  auto count = socket_.write_some(
    boost::asio::buffer(bytes.data(), bytes.size()), failure);
  if (failure && failure != boost::asio::error::would_block)
    return write_result::failed;
  if (count == bytes.size())
    return write_result::done;
  writing_ = bytes.substr(count);
  written_ = 0;
  write_rest();
  return write_result::pending;
}

void stream::write_rest() {
  socket_.async_write_some(
    boost::asio::buffer(writing_.data() + written_, writing_.size() - written_),
    [self = shared_from_this()](error_code failure, std::size_t count) {
      self->on_write(failure, count);
    });
}

void stream::on_write(error_code failure, std::size_t count) {
  if (observer_ == nullptr)
    return;
  if (failure) {
    observer_->on_write_failed(*this);
    return;
  }
  written_ += count;
  if (written_ == writing_.size()) {
    // Its memory goes: few connections are ever slow, and few stay so.
    std::exchange(writing_, std::exchange(waiting_, {}));
    written_ = 0;
  }
  if (writing_.empty())
    observer_->on_written(*this);
  else
    write_rest();
}

void stream::shutdown_send() noexcept {
  error_code ignored;
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
}

void stream::close() noexcept {
  observer_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
  descriptor_.release();
}

void stream::reset() noexcept {
  error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger{true, 0}, ignored);
  close();
}

bool stream::is_quiet() noexcept {
  char byte;
  auto count =
    ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace troupe::proxying

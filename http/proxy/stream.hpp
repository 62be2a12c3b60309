#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "http/proxy/descriptor_budget.hpp"

namespace troupe::proxying {

/// A socket that knows its loop's type: the default any-executor costs a
/// virtual call and a reference count per operation.
using tcp_socket =
  boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                   boost::asio::io_context::executor_type>;

/// One TCP connection with an inbound buffer and, for what the kernel does not
/// take at once, an outbound one. Everything happens on the loop's thread.
class stream : public std::enable_shared_from_this<stream> {
public:
  /// Who is told what happens. No call comes from within a call to the stream.
  class observer {
  public:
    /// `inbound` grew.
    virtual void on_bytes(stream& from) = 0;
    /// Everything that was `pending` is through.
    virtual void on_written(stream& to) = 0;
    /// Nothing more can be read. `eof`: the peer ended its side.
    virtual void on_ended(stream& from, boost::system::error_code why) = 0;
    /// A write that was `pending` is not through.
    virtual void on_write_failed(stream& to) = 0;

  protected:
    ~observer() = default;
  };

  enum class write_result { done, pending, failed };

  /// The buffer starts small and grows up to `max_buffer` bytes. `descriptor`
  /// is the socket's and is given back with it.
  stream(tcp_socket socket, std::size_t max_buffer,
         descriptor_share descriptor = {});

  /// Null: nobody is told any more.
  void observe(observer* who) noexcept { observer_ = who; }

  std::string_view inbound() const noexcept {
    return {data_.get() + begin_, end_ - begin_};
  }

  /// Drops the first bytes of `inbound`.
  void consume(std::size_t count) noexcept { begin_ += count; }

  /// Starts a read unless one is under way. False: the buffer is full.
  bool read();

  /// Writes at once what the kernel takes; the rest is copied and follows by
  /// itself, behind what is pending already. A caller that waits for
  /// `on_written` bounds the copy.
  write_result write(std::string_view bytes);

  /// Ends our side of the connection.
  void shutdown_send() noexcept;

  /// Cancels what is under way; the observer hears no more.
  void close() noexcept;

  /// As `close`, but the peer sees a reset: what it got is not whole.
  void reset() noexcept;

  /// Whether nothing is to be read: the peer neither closed the connection nor
  /// sent anything, as far as the kernel knows at this moment.
  bool is_quiet() noexcept;

  /// It was taken from a pool: the server takes more than one request on it.
  void set_proven() noexcept { proven_ = true; }
  bool is_proven() const noexcept { return proven_; }

  /// The server knows the connection as one user's from now on.
  void bind_to_user() noexcept { bound_ = true; }
  bool is_bound() const noexcept { return bound_; }

private:
  bool make_room();
  void on_read(boost::system::error_code failure, std::size_t count);
  void write_rest();
  void on_write(boost::system::error_code failure, std::size_t count);

  // Goes after the socket.
  descriptor_share descriptor_;
  tcp_socket socket_;
  observer* observer_ = nullptr;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t max_capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool reading_ = false;
  bool proven_ = false;
  bool bound_ = false;
  // What the kernel reads from must not move, so what is written meanwhile
  // waits beside it.
  std::string writing_;
  std::size_t written_ = 0;
  std::string waiting_;
};

using stream_ptr = std::shared_ptr<stream>;

} // namespace troupe::proxying

#include "discovery/transport/session_scribe.hpp"

#include <caf/io/network/interfaces.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/policy/tcp.hpp>

#include <spdlog/spdlog.h>

namespace troupe {

namespace {

using caf::io::network::native_socket;
using caf::io::network::operation;
using caf::io::network::rw_state;

/// How CAF's stream reads and writes (caf/io/network/stream.hpp): a socket.
struct plain_policy : caf::policy::tcp {
  static bool has_unread() { return false; }
};

/// The same for a session.
///
/// A session that wants to write while it reads, or the reverse, reports
/// success with zero bytes and is called again when the socket is ready for
/// what CAF asked. That is enough: without renegotiation only a key update
/// (RFC 8446 §4.6.3) does so, and its answer goes out with whichever of our
/// reads and writes comes first.
class tls_policy {
public:
  explicit tls_policy(std::unique_ptr<tls_session> session)
    : session_(std::move(session)) {}

  rw_state read_some(std::size_t& result, native_socket, void* buffer,
                     std::size_t size) {
    return state_of(session_->read({static_cast<char*>(buffer), size}, result));
  }

  rw_state write_some(std::size_t& result, native_socket, const void* buffer,
                      std::size_t size) {
    result = 0;
    // Tells the stream that there is nothing to write, as CAF's own does.
    if (size == 0)
      return rw_state::indeterminate;
    return state_of(
      session_->write({static_cast<const char*>(buffer), size}, result));
  }

  /// Bytes inside the session raise no socket event. Fewer than what CAF waits
  /// for may stay there until the rest arrives.
  bool must_read_more(native_socket, std::size_t threshold) {
    return session_->unread() >= threshold;
  }

  bool has_unread() const { return session_->unread() > 0; }

private:
  static rw_state state_of(tls_session::progress what) {
    return what == tls_session::progress::failed ? rw_state::failure
                                                 : rw_state::success;
  }

  std::unique_ptr<tls_session> session_;
};

/// A policy that can be told to fail. CAF's stream then ends the connection as
/// if it had broken, which is safe at any time.
template <class Policy>
class revocable : public Policy {
public:
  using Policy::Policy;

  rw_state read_some(std::size_t& result, native_socket socket, void* buffer,
                     std::size_t size) {
    return is_revoked_ ? rw_state::failure
                       : Policy::read_some(result, socket, buffer, size);
  }

  /// Once revoked, at once.
  bool must_read_more(native_socket socket, std::size_t threshold) {
    return is_revoked_ || Policy::must_read_more(socket, threshold);
  }

  void revoke() { is_revoked_ = true; }

private:
  bool is_revoked_ = false;
};

/// CAF's stream with its policy within reach.
template <class Policy>
class session_stream final : public caf::io::network::stream {
public:
  template <class... Ts>
  session_stream(caf::io::network::default_multiplexer& multiplexer, int socket,
                 Ts&&... xs)
    : stream(multiplexer, socket), policy_(std::forward<Ts>(xs)...) {}

  void handle_event(operation what) override {
    handle_event_impl(what, policy_);
  }

  revocable<Policy>& policy() { return policy_; }

private:
  revocable<Policy> policy_;
};

template <class Policy>
class session_scribe final : public caf::io::scribe {
public:
  template <class... Ts>
  session_scribe(caf::io::network::default_multiplexer& multiplexer, int socket,
                 std::shared_ptr<message_limit> limit, Ts&&... xs)
    : scribe(caf::io::network::conn_hdl_from_socket(socket)),
      limit_(std::move(limit)),
      stream_(multiplexer, socket, std::forward<Ts>(xs)...) {}

  /// CAF asks here for room for what a header has announced.
  void configure_read(caf::io::receive_policy::config config) override {
    if (config.second > limit_->max_bytes) {
      refuse(config.second);
      return;
    }
    stream_.configure_read(config);
    if (!is_launched_)
      launch();
  }

  void ack_writes(bool enable) override { stream_.ack_writes(enable); }

  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }

  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }

  /// Without close_notify: what CAF sends has lengths of its own, so an end in
  /// the middle is noticed.
  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }

  void flush() override { stream_.flush(this); }

  std::string addr() const override {
    auto result = caf::io::network::remote_addr_of_fd(stream_.fd());
    return result ? *result : std::string{};
  }

  std::uint16_t port() const override {
    auto result = caf::io::network::remote_port_of_fd(stream_.fd());
    return result ? *result : std::uint16_t{0};
  }

  void add_to_loop() override { stream_.activate(this); }

  void remove_from_loop() override { stream_.passivate(); }

private:
  void refuse(std::uint64_t announced) {
    stream_.policy().revoke();
    if (auto count = limit_->refusals.note(std::chrono::steady_clock::now()))
      spdlog::warn("cluster port: closed the connection to {}, which announced "
                   "a message of {} bytes; at most {} are taken ({} such)",
                   addr(), announced, limit_->max_bytes, *count);
  }

  void launch() {
    is_launched_ = true;
    stream_.start(this);
    if (!stream_.policy().has_unread())
      return;
    // The gate has waited for the peer's first data; it is in the session now.
    stream_.backend().post([self = caf::intrusive_ptr<session_scribe>{this}] {
      if (!self->detached())
        self->stream_.handle_event(operation::read);
    });
  }

  std::shared_ptr<message_limit> limit_;
  bool is_launched_ = false;
  session_stream<Policy> stream_;
};

} // namespace

caf::io::scribe_ptr
make_session_scribe(caf::io::network::default_multiplexer& multiplexer,
                    int socket, std::unique_ptr<tls_session> tls,
                    std::shared_ptr<message_limit> limit) {
  if (tls)
    return caf::make_counted<session_scribe<tls_policy>>(
      multiplexer, socket, std::move(limit), std::move(tls));
  return caf::make_counted<session_scribe<plain_policy>>(multiplexer, socket,
                                                         std::move(limit));
}

} // namespace troupe

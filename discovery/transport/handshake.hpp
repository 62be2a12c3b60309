#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string_view>
#include <variant>

#include <caf/error.hpp>

#include "discovery/certificates/credential_source.hpp"
#include "discovery/transport/established.hpp"
#include "discovery/transport/first_bytes.hpp"

namespace troupe {

/// One connection on its way from a bare socket to `established`, on the thread
/// of its socket's loop. Deadlines are the owner's: it calls `abandon`.
///
///     with certificates      TLS ──▶ client: server's first data ──▶ done
///     without                greeting ──▶ the other's greeting ──▶ done
///     anything else          error that says what came instead
class handshake : public std::enable_shared_from_this<handshake> {
public:
  using socket = boost::asio::ip::tcp::socket;
  /// Errors: incompatible (the peer is no node of this cluster, or holds that
  /// of us), unavailable (it broke the connection off). They go on from the
  /// peer's address: `speaks HTTP; …`.
  using outcome = std::variant<established, caf::error>;
  using handler = std::function<void(outcome)>;

  /// @param own null: this node has no certificates. Must outlive this.
  /// @param done called once, not from within `start`'s caller.
  handshake(socket connected, tls_session::side which, credential_source* own,
            handler done);

  void start();

  /// Ends it with that error, if it has not ended.
  void abandon(caf::error why);

private:
  using wait_type = boost::asio::socket_base::wait_type;

  /// Calls that member when the socket is ready, or ends with the error.
  void when_ready(wait_type what, void (handshake::*next)());

  void look_at_first_byte();
  void begin_tls();
  void step_tls();

  void send_greeting();
  void read_first_bytes();
  void judge_first_bytes();

  void refuse(first_speaker who);
  void answer(std::string_view last_word);
  void refuse_broken(const boost::system::error_code& problem);
  void succeed();

  socket socket_;
  tls_session::side side_;
  credential_source* own_;
  handler done_;
  std::unique_ptr<tls_session> tls_;
  bool has_looked_ = false;
  bool is_secured_ = false;
  std::array<char, plain_greeting.size()> received_{};
  std::size_t received_size_ = 0;
};

} // namespace troupe

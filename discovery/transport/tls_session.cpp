#include "discovery/transport/tls_session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <openssl/err.h>

namespace troupe {

namespace {

/// More in one go would keep the thread from its other connections.
constexpr std::size_t write_burst_bytes = 256 * 1024;

/// What the peer's alert says about us; empty: this is no alert.
std::string alert_of_peer(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL)
    return {};
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "our certificate is not signed by an authority that it knows";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "our certificate has expired";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return "our certificate does not suit it";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "our certificate lacks the node role of its cluster, or we share "
             "no cipher";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "we sent no certificate";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "we share no version of TLS";
    default:
      break;
  }
  // An alert's reason is 1000 and its number (RFC 8446 §6).
  return ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET
           ? std::string{ERR_reason_error_string(code)}
           : std::string{};
}

/// A connection that closes without close_notify.
bool is_end_of_file(unsigned long code) {
  return ERR_GET_LIB(code) == ERR_LIB_SSL
         && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/// Reasons that strangers cause, in our words.
std::string explain(unsigned long code) {
  if (ERR_GET_LIB(code) == ERR_LIB_SSL)
    switch (ERR_GET_REASON(code)) {
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "sent no certificate, must have one of the cluster's authority";
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_VERSION_TOO_LOW:
        return "speaks no version of TLS from 1.2 on";
      default:
        break;
    }
  const auto* text = ERR_reason_error_string(code);
  return std::string{"does not speak TLS properly: "}
         + (text ? text : "unknown reason");
}

} // namespace

tls_session::tls_session(const credentials& own, int socket, side which)
  : found_(std::make_unique<peer_verification>()),
    ssl_(own.make_session(*found_)), socket_(socket) {
  SSL_set_wfd(ssl_.get(), socket);
  if (which == side::server) {
    SSL_set_accept_state(ssl_.get());
    start_reading();
    return;
  }
  SSL_set_connect_state(ssl_.get());
  // Always empty: reading has to wait.
  auto* nothing = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(nothing, -1);
  SSL_set0_rbio(ssl_.get(), nothing);
}

void tls_session::start_reading() {
  SSL_set_rfd(ssl_.get(), socket_);
}

tls_session::progress tls_session::handshake() {
  if (has_failed_)
    return progress::failed;
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_.get()));
}

tls_session::progress tls_session::await_data() {
  if (has_failed_)
    return progress::failed;
  ERR_clear_error();
  char byte;
  return outcome(SSL_peek(ssl_.get(), &byte, 1));
}

tls_session::progress tls_session::read(std::span<char> into,
                                        std::size_t& got) {
  got = 0;
  if (has_failed_)
    return progress::failed;
  ERR_clear_error();
  return outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &got));
}

tls_session::progress tls_session::write(std::span<const char> from,
                                         std::size_t& written) {
  written = 0;
  if (has_failed_)
    return progress::failed;
  from = from.first(std::min(from.size(), write_burst_bytes));
  while (written < from.size()) {
    ERR_clear_error();
    std::size_t step = 0;
    auto result = outcome(SSL_write_ex(ssl_.get(), from.data() + written,
                                       from.size() - written, &step));
    if (result != progress::done)
      return result;
    written += step;
  }
  return progress::done;
}

std::size_t tls_session::unread() const noexcept {
  return static_cast<std::size_t>(SSL_pending(ssl_.get()));
}

tls_session::progress tls_session::outcome(int result) {
  if (result > 0)
    return progress::done;
  switch (auto error = SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return progress::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return progress::wants_write;
    default:
      return fail(error);
  }
}

tls_session::progress tls_session::fail(int error) {
  auto errno_now = errno;
  has_failed_ = true;
  auto code = ERR_peek_error();
  is_broken_off_ = error != SSL_ERROR_SSL || is_end_of_file(code);
  if (!found_->problem.empty())
    problem_ = "its " + found_->problem;
  else if (auto alert = alert_of_peer(code); !alert.empty())
    problem_ = "refuses us: " + alert;
  else if (!is_broken_off_)
    problem_ = explain(code);
  else if (error == SSL_ERROR_SYSCALL && errno_now != 0)
    problem_ = std::string{"broke the connection: "} + std::strerror(errno_now);
  else
    problem_ = "closed the connection during the handshake";
  ERR_clear_error();
  return progress::failed;
}

} // namespace troupe

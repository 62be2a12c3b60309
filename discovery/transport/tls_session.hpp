#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "discovery/certificates/credentials.hpp"

namespace troupe {

/// One side of a TLS connection on a non-blocking socket that somebody else
/// owns. First the handshake, then reading and writing. SIGPIPE must be ignored
/// (`shutdown_signal` does): OpenSSL writes without MSG_NOSIGNAL. One thread at
/// a time.
class tls_session {
public:
  enum class side : std::uint8_t { client, server };

  enum class progress : std::uint8_t {
    done,
    /// Again when the socket is readable, or writable.
    wants_read,
    wants_write,
    failed,
  };

  /// A client does not read before `start_reading`: its owner can look at what
  /// the other side speaks, which would be gone after the first read.
  tls_session(const credentials& own, int socket, side which);

  void start_reading();

  /// Goes on with the handshake.
  progress handshake();

  /// Goes on waiting until the peer has sent something, which stays unread. A
  /// TLS 1.3 server checks the client's certificate after the client's
  /// handshake is over (RFC 8446 §2): its first data is its yes.
  progress await_data();

  /// Reads what is there, at most one TLS record.
  progress read(std::span<char> into, std::size_t& got);

  /// Writes as much as the socket takes.
  progress write(std::span<const char> from, std::size_t& written);

  /// Decrypted bytes that wait to be read; no socket event announces them.
  std::size_t unread() const noexcept;

  /// Why it failed: what was wrong with the peer's certificate, what the peer
  /// says is wrong with ours, or what broke.
  const std::string& problem() const noexcept { return problem_; }

  /// Whether it failed because the connection did, with nobody at fault.
  bool is_broken_off() const noexcept { return is_broken_off_; }

  /// The peer's name, from its certificate.
  const std::string& peer_name() const noexcept { return found_->name; }

private:
  progress outcome(int result);
  progress fail(int error);

  /// OpenSSL's callback holds its address.
  std::unique_ptr<peer_verification> found_;
  ssl_ptr ssl_;
  int socket_;
  std::string problem_;
  /// OpenSSL forbids further calls after a failure.
  bool has_failed_ = false;
  bool is_broken_off_ = false;
};

} // namespace troupe

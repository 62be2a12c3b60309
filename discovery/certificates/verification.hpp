#pragma once

#include <optional>
#include <string>

#include "discovery/certificates/openssl.hpp"

namespace troupe {

/// What came out of checking the peer of one TLS session. Lives as long as the
/// session, for OpenSSL's callback.
struct peer_verification {
  /// The cluster whose nodes are let in.
  std::string cluster;
  /// Why the peer was refused; empty: not yet, or it was not.
  std::string problem;
  /// The peer's name, from its role.
  std::string name;
};

/// Why a certificate does not prove a node of `cluster`, or nothing. Assumes
/// that its chain was verified.
std::optional<std::string> check_role(const X509& certificate,
                                      const std::string& cluster);

/// OpenSSL's error of a chain in words.
/// @param certificate the one that is wrong; may be null.
std::string explain_chain_error(int error, const X509* certificate);

/// Has `session` check its peer's role too, and write what it finds to `into`,
/// which must outlive the session.
void watch_verification(SSL& session, peer_verification& into);

} // namespace troupe

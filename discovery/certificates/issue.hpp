#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <caf/expected.hpp>

#include "discovery/certificates/certificate.hpp"

// Making certificates: EC keys on P-256, signed with SHA-256. Pure but for
// OpenSSL's randomness; files are the caller's business.

namespace troupe {

/// A certificate and its private key, both PEM.
struct issued_pair {
  std::string certificate;
  std::string key;
};

struct authority_request {
  std::string cluster;
  certificate_time now;
  std::chrono::hours valid_for;
};

/// A new authority that signs the nodes of one cluster, and nothing but
/// end certificates (path length 0, RFC 5280 §4.2.1.9).
caf::expected<issued_pair> issue_authority(const authority_request& what);

struct node_request {
  std::string name;
  /// Names and IP addresses of its host. Nodes don't check them, other
  /// programs may.
  std::vector<std::string> hosts;
  certificate_time now;
  std::chrono::hours valid_for;
};

/// A node's certificate with the role of the authority's cluster.
/// @param source names the authority in errors, for example its folder.
/// Errors: malformed (the authority can't be read), invalid_field (it is none,
/// expires earlier, or a host is neither a name nor an address).
caf::expected<issued_pair> issue_node(const node_request& what,
                                      const issued_pair& authority,
                                      const std::string& source);

} // namespace troupe

#pragma once

#include <memory>
#include <string>

#include <caf/expected.hpp>

#include "discovery/certificates/certificate.hpp"
#include "discovery/certificates/verification.hpp"

namespace troupe {

/// Where a node's credentials are. All three are PEM.
struct tls_files {
  /// Its certificate, and after it those of authorities in between, if any.
  std::string certificate;
  std::string key;
  /// The authorities whose nodes are let in: several while one replaces
  /// another.
  std::string authority;
};

/// A node's certificate, key and authorities, checked against each other.
/// Immutable and thread-safe; sessions made from it keep what they need.
class credentials {
public:
  /// Reads and checks the files: each is readable, the key is the
  /// certificate's, an authority has signed it, it is valid at `now`, and it
  /// has the node role of `cluster`.
  /// Errors: storage_failed, malformed, invalid_field; the detail names the
  /// file and what would be right, the field the option.
  static caf::expected<std::shared_ptr<const credentials>>
  load(const tls_files& files, const std::string& cluster,
       certificate_time now);

  /// Starts a session, TLS 1.2 at least, that lets in nodes of the cluster
  /// only. `found` must outlive it.
  ssl_ptr make_session(peer_verification& found) const;

  /// For people: `O=troupe, CN=node-1, valid until 2027-01-01 00:00 UTC`.
  const std::string& summary() const noexcept { return summary_; }

  certificate_time valid_until() const noexcept { return valid_until_; }

  credentials(ssl_context_ptr context, std::string cluster, const X509& own);

private:
  ssl_context_ptr context_;
  std::string cluster_;
  std::string summary_;
  certificate_time valid_until_;
};

} // namespace troupe

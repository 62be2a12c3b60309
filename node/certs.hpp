#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <caf/expected.hpp>

#include "discovery/certificates/certificate.hpp"

namespace troupe {

/// `troupe certs ca`: make an authority for a cluster's nodes.
struct certs_authority_command {
  /// Folder for `ca.pem` and `ca.key`.
  std::string out;
  std::string cluster;
  int days = 3650;
  /// Whether files that are there are replaced.
  bool force = false;
};

/// `troupe certs node`: make a node's certificate.
struct certs_node_command {
  /// Folder with `ca.pem` and `ca.key`.
  std::string authority;
  /// Folder for `NAME.pem` and `NAME.key`.
  std::string out;
  std::string name;
  std::vector<std::string> hosts;
  int days = 365;
  bool force = false;
};

/// Both answer what was made, for people. Keys are readable for their owner
/// only. Errors: those of `issue_node`, conflict (a file is there already),
/// storage_failed; none leaves half a file, or a key without its certificate
/// where there was none.
caf::expected<std::string> run_certs(const certs_authority_command& what,
                                     certificate_time now);
caf::expected<std::string> run_certs(const certs_node_command& what,
                                     certificate_time now);

} // namespace troupe

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <caf/expected.hpp>

#include "discovery/certificates/credentials.hpp"

namespace troupe {

/// A node's credentials as its files say now: read again when a file has
/// changed, so that certificates are replaced without stopping the cluster.
/// Files that don't fit together change nothing and are reported once. For one
/// thread.
class credential_source {
public:
  /// Errors: as `credentials::load`.
  static caf::expected<std::unique_ptr<credential_source>>
  open(tls_files files, std::string cluster);

  /// What a new session is to use. Looks at the files (three `stat`s).
  std::shared_ptr<const credentials> current();

  /// Public for `open`.
  credential_source(tls_files files, std::string cluster);

private:
  /// What tells one version of a file from the next.
  struct stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;

    bool operator==(const stamp&) const = default;
  };

  static stamp stamp_of(const std::string& file);
  std::array<stamp, 3> stamps() const;

  tls_files files_;
  std::string cluster_;
  /// Of the files as they were when last read.
  std::array<stamp, 3> seen_;
  std::shared_ptr<const credentials> current_;
};

} // namespace troupe

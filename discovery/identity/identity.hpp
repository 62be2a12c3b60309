#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

#include <caf/expected.hpp>

#include "messages/ids.hpp"

namespace troupe {

/// What a node promised before there was a cluster
/// (docs/decisions/0002).
struct pledge_record {
  /// The founder that it follows.
  member_id pledged_to = member_id::none;
  /// It holds enough pledges and founds the cluster, by all means.
  bool founds = false;
};

/// Who a node is, beyond its process: the file `identity.json` in its data
/// directory. Each change is on disk before it returns. Thread-safe.
class identity {
public:
  struct contents {
    member_id id = member_id::none;
    /// Grows with each start.
    std::uint64_t incarnation = 0;
    /// Set once the node belongs to a cluster.
    std::string cluster_name;
    std::string cluster_uuid;
    /// As long as there is no cluster.
    pledge_record pledge;
  };

  /// Reads the file, or makes it with a new random id, and starts a new
  /// incarnation. Errors: storage_failed, corrupt, and incompatible when the
  /// directory belongs to another cluster than `cluster_name`.
  static caf::expected<std::shared_ptr<identity>>
  open(const std::filesystem::path& data_directory,
       const std::string& cluster_name);

  identity(std::filesystem::path file, contents initial);

  contents get() const;

  /// Replaces the pledge. Errors: storage_failed.
  caf::error keep_pledge(const pledge_record& next);

  /// Binds the directory to a cluster. Errors: incompatible (it is bound to
  /// another one), storage_failed.
  caf::error bind_to_cluster(const std::string& name, const std::string& uuid);

  /// The same, whatever it is bound to now. Errors: storage_failed.
  caf::error rebind_to_cluster(const std::string& name,
                               const std::string& uuid);

private:
  caf::error bind(const std::string& name, const std::string& uuid);

  mutable std::mutex mutex_;
  std::filesystem::path file_;
  contents contents_;
};

/// A new cluster's id (RFC 4122 §4.4), random or, with a seed, repeatable.
std::string make_cluster_uuid(std::uint32_t seed = 0);

} // namespace troupe

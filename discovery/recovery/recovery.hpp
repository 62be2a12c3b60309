#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "discovery/identity/identity.hpp"
#include "discovery/raft/log_storage.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

/// What a data directory knows, and so what a cluster that goes on from it has.
struct recovery_plan {
  std::string cluster_name;
  /// The node that the directory belongs to.
  node_info survivor;
  /// The log's last entry: among several directories, the one whose entry has
  /// the highest term, and among those the highest index, knows most.
  std::uint64_t last_term = 0;
  std::uint64_t last_index = 0;
  /// Up to here it is known to be committed; what is behind it may never have
  /// been acknowledged, and counts from now on.
  std::uint64_t commit_index = 0;
  /// Where the log ended before its disk lost the end; 0 when it is whole.
  std::uint64_t lost_index = 0;
  /// The other members, which will be none any more.
  std::vector<node_info> removed;
  std::size_t servers = 0;
  std::size_t keys = 0;
};

/// Makes one node a cluster of its own when the others are lost for good. It
/// gets a new uuid: what still runs of the old cluster, and old data
/// directories, are refused by it.
class recovery {
public:
  /// Opens the data directory of a node that does not run.
  /// Errors: storage_failed (in use, unreadable), corrupt, incompatible,
  /// conflict (there is no log of a cluster).
  static caf::expected<recovery>
  open(const std::filesystem::path& data_directory,
       const std::string& cluster_name);

  const recovery_plan& plan() const { return plan_; }

  /// Writes the new configuration and the removal of the other members behind
  /// the log. After an error it can be begun again. Errors: storage_failed.
  caf::error carry_out();

private:
  recovery(std::shared_ptr<identity> own, log_storage storage)
    : own_(std::move(own)), storage_(std::move(storage)) {}

  caf::error read();

  std::shared_ptr<identity> own_;
  log_storage storage_;
  std::uint64_t term_ = 0;
  recovery_plan plan_;
};

} // namespace troupe

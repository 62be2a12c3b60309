#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/balancer/routing.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "discovery/catalog/request_ids.hpp"
#include "discovery/identity/identity.hpp"
#include "http/server/io_thread.hpp"
#include "messages/directory.hpp"
#include "messages/lease.hpp"
#include "messages/log_disk.hpp"
#include "node/cluster_port.hpp"
#include "node/config/configuration.hpp"

namespace troupe {

/// What a node's actors share. Outlives them.
struct node_context {
  configuration settings;
  node_info self;
  std::shared_ptr<identity> own_identity;
  /// Of this process's commands.
  std::shared_ptr<request_ids> ids = std::make_shared<request_ids>();
  directory_ptr names = std::make_shared<directory>();
  cluster_view state = std::make_shared<published<cluster_state>>();
  /// Held while this node is the only one that can lead.
  lease_ptr leadership = std::make_shared<lease>();
  /// Held while this node may act on its roles.
  lease_ptr roles = std::make_shared<lease>();
  /// How the Raft log's disk does.
  log_disk_ptr disk = std::make_shared<log_disk>();
  /// Why this node is no member that may act; empty when it is one.
  std::shared_ptr<published<std::string>> obstacle =
    std::make_shared<published<std::string>>();
  /// An operator removed this node from the cluster.
  std::function<void()> on_dismissed = [] {};
  routing_view routing = std::make_shared<published<routing_table>>();
  std::vector<std::unique_ptr<io_thread>> io_threads;
  std::unique_ptr<cluster_port> port;
  /// Unix time of the start, in ms.
  unix_ms started_at = 0;
};

/// What a node says about itself under these settings.
node_info describe_node(const configuration& settings,
                        const identity::contents& own);

/// The actors of a node but for its gateways, in the order they start.
/// `context` must outlive them.
std::vector<child_spec> core_children(node_context& context);

} // namespace troupe

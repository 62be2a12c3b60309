#include "node/wiring.hpp"

#include <algorithm>
#include <random>

#include <caf/all.hpp>

#include "actors/balancer/balancer.hpp"
#include "actors/cache_shard/cache_shard.hpp"
#include "actors/resource_monitor/resource_monitor.hpp"
#include "discovery/catalog/catalog.hpp"
#include "discovery/membership/membership.hpp"
#include "discovery/peering/peering.hpp"
#include "discovery/raft/raft_log.hpp"
#include "discovery/slots/placement.hpp"
#include "http/client/http_probe.hpp"
#include "messages/error.hpp"
#include "node/config/load.hpp"
#include "node/parts.hpp"
#include "node/peer_sources.hpp"

namespace troupe {

namespace {

using started = caf::expected<caf::strong_actor_ptr>;

template <class Handle>
started as_started(const Handle& handle) {
  return caf::actor_cast<caf::strong_actor_ptr>(handle);
}

std::uint32_t random_seed() {
  return std::random_device{}();
}

/// A node that is to find others must not found a cluster of its own just
/// because nobody answered yet.
std::uint32_t founding_size(const configuration& settings) {
  if (!settings.cluster.enabled)
    return 1;
  auto expected = settings.cluster.expected_nodes;
  return expected == 1 && has_peer_sources(settings) ? 0 : expected;
}

started start_raft_log(node_context& node, caf::actor_system& system) {
  raft_log_config config;
  config.path =
    std::filesystem::path{node.settings.node.data_directory} / "raft";
  config.node = node.self.id;
  config.cluster_name = node.settings.cluster.name;
  config.must_exist = !node.own_identity->get().cluster_uuid.empty();
  auto log = spawn_raft_log(system, config, node.disk);
  if (!log)
    return std::move(log.error());
  return as_started(*log);
}

started start_catalog(node_context& node, caf::actor_system& system) {
  catalog_config config;
  config.self = node.self;
  config.ids = node.ids;
  config.heartbeat = node.settings.cluster.heartbeat_interval;
  config.election_timeout = node.settings.cluster.election_timeout;
  config.seed = random_seed();
  if (auto problem = config.validate())
    return problem;
  return as_started(spawn_catalog(system, config,
                                  node.names->local<raft_log_actor>("raft_log"),
                                  node.state, node.leadership, node.disk));
}

started start_membership(node_context& node, caf::actor_system& system) {
  auto& cluster = node.settings.cluster;
  membership_config config;
  config.self = node.self;
  config.cluster_name = cluster.name;
  config.expected_nodes = founding_size(node.settings);
  config.max_voters = cluster.max_voters;
  config.timers.suspect_after = cluster.suspect_timeout;
  config.timers.down_after = cluster.down_timeout;
  config.timers.forget_after = cluster.forget_after;
  config.seed = random_seed();
  config.on_dismissed = node.on_dismissed;
  return as_started(
    spawn_membership(system, config,
                     {node.state, node.names, node.own_identity,
                      node.leadership, node.roles, node.obstacle}));
}

started start_peering(node_context& node, caf::actor_system& system) {
  auto& cluster = node.settings.cluster;
  peering_config config;
  config.self = node.self;
  config.cluster_name = cluster.name;
  config.shared_settings = shared_settings(node.settings);
  config.seed = random_seed();
  auto uuid = [own = node.own_identity] { return own->get().cluster_uuid; };
  auto peering = as_started(spawn_peering(system, config, node.port->dialer(),
                                          node.state, node.names, uuid));
  if (auto problem = node.port->publish(*peering)) {
    caf::anon_send_exit(*peering, caf::exit_reason::kill);
    return problem;
  }
  return peering;
}

started start_balancer(node_context& node, caf::actor_system& system) {
  balancer_config config;
  config.self = {node.self.id, node.self.incarnation};
  config.default_service = node.settings.proxy.default_service;
  for (auto& rule : node.settings.proxy.routes)
    config.routes.push_back({rule.host, rule.path, rule.service});
  if (auto problem = config.validate())
    return problem;
  return as_started(
    spawn_balancer(system, config, node.state, node.routing, node.names));
}

started start_health_prober(node_context& node, caf::actor_system& system) {
  auto config = health_prober_part(node.settings, node.self.id);
  if (auto problem = config.validate())
    return problem;
  return as_started(
    spawn_health_prober(system, config, node.state, node.names, node.roles,
                        make_http_probe(*node.io_threads.front())));
}

started start_cache_shard(node_context& node, caf::actor_system& system,
                          std::uint32_t index) {
  auto& memory = node.settings.cache.memory;
  auto shards = node.self.io_threads;
  cache_shard_config config;
  config.self = node.self.id;
  config.index = index;
  config.shards = shards;
  config.max_entries = std::max<std::uint64_t>(memory.max_size / shards, 1);
  config.max_bytes = std::max<std::uint64_t>(memory.max_bytes / shards, 1);
  config.max_key_bytes = memory.max_key_size;
  config.max_value_bytes = memory.max_value_size;
  if (auto problem = config.validate())
    return problem;
  return as_started(
    spawn_cache_shard(system, config, node.state, node.names, node.roles));
}

started start_resource_monitor(node_context& node, caf::actor_system& system) {
  resource_monitor_config config;
  config.interval = node.settings.cluster.health_check_interval;
  config.data_directory = node.settings.node.data_directory;
  return as_started(spawn_resource_monitor(system, config));
}

} // namespace

node_info describe_node(const configuration& settings,
                        const identity::contents& own) {
  auto& host = settings.node.advertised_address;
  node_info result;
  result.id = own.id;
  result.name = settings.node.name;
  result.incarnation = own.incarnation;
  result.version = program_version;
  result.api = {host, settings.node.api_port};
  result.cluster = {host, settings.cluster.port};
  // Without a proxy nothing of ours is there.
  if (settings.proxy.enabled)
    result.proxy = {host, settings.proxy.port};
  result.resp = {host, settings.resp.port};
  result.io_threads = io_thread_count(settings.node);
  result.routes_digest = digest_of_routes(settings);
  return result;
}

std::vector<child_spec> core_children(node_context& context) {
  auto bind = [&context](auto start) {
    return [&context, start](caf::actor_system& system) {
      return start(context, system);
    };
  };
  std::vector<child_spec> children{
    {"raft_log", bind(start_raft_log)},
    {"catalog", bind(start_catalog), {"raft_log"}},
    {"membership", bind(start_membership)},
    {"balancer", bind(start_balancer)},
    {"resource_monitor", bind(start_resource_monitor)},
  };
  for (std::uint32_t i = 0; i < context.self.io_threads; ++i)
    children.push_back({"cache_shard/" + std::to_string(i),
                        [&context, i](caf::actor_system& system) {
                          return start_cache_shard(context, system, i);
                        }});
  children.push_back({"placement", [&context](caf::actor_system& system) {
                        placement_config config;
                        config.self = context.self.id;
                        config.lease = context.settings.cluster.down_timeout;
                        return as_started(spawn_placement(
                          system, config, context.state, context.names));
                      }});
  children.push_back({"health_prober", bind(start_health_prober)});
  if (context.settings.cluster.enabled) {
    children.push_back({"peering", bind(start_peering)});
    add_peer_sources(context, children);
  }
  return children;
}

} // namespace troupe

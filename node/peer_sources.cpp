#include "node/peer_sources.hpp"

#include <algorithm>
#include <random>

#include <caf/all.hpp>

#include "discovery/peer_source/dns_peers.hpp"
#include "discovery/peer_source/file_peers.hpp"
#include "discovery/peer_source/redis_peers.hpp"
#include "discovery/peer_source/srv_peers.hpp"
#include "discovery/peer_source/static_peers.hpp"
#include "messages/address.hpp"

namespace troupe {

namespace {

/// How often peers hear of the list again, which never changes.
constexpr milliseconds list_interval{1000};

using make_finder = std::shared_ptr<peer_finder> (*)(const node_context&);

caf::strong_actor_ptr as_started(const peer_source_actor& handle) {
  return caf::actor_cast<caf::strong_actor_ptr>(handle);
}

peer_source_config source(std::string name, milliseconds interval) {
  peer_source_config result;
  result.name = std::move(name);
  result.interval = interval;
  result.seed = std::random_device{}();
  return result;
}

child_spec blocking(node_context& node, peer_source_config config,
                    make_finder make) {
  auto start =
    [&node, config,
     make](caf::actor_system& system) -> caf::expected<caf::strong_actor_ptr> {
    return as_started(
      spawn_blocking_peer_source(system, config, make(node), node.names));
  };
  return {config.name, start};
}

child_spec static_source(node_context& node) {
  auto config = source("static_peers", list_interval);
  auto start =
    [&node, config](
      caf::actor_system& system) -> caf::expected<caf::strong_actor_ptr> {
    return as_started(spawn_peer_source(
      system, config, find_in_list(node.settings.discovery.nodes), node.names));
  };
  return {config.name, start};
}

std::shared_ptr<peer_finder> dns_finder(const node_context& node) {
  auto& dns = node.settings.discovery.dns;
  return find_by_dns({dns.name, dns.port});
}

std::shared_ptr<peer_finder> srv_finder(const node_context& node) {
  auto& srv = node.settings.discovery.srv;
  return find_by_srv({srv.name, parse_endpoint(srv.server)});
}

std::shared_ptr<peer_finder> file_finder(const node_context& node) {
  return find_in_file(node.settings.discovery.file.path);
}

std::shared_ptr<peer_finder> redis_finder(const node_context& node) {
  auto& redis = node.settings.discovery.redis;
  redis_peers_config config;
  config.server = {redis.host, redis.port};
  config.password = redis.password;
  config.time_to_live = redis.ttl;
  config.cluster_name = node.settings.cluster.name;
  config.self = node.self.id;
  config.self_address = node.self.cluster;
  return find_in_redis(std::move(config));
}

/// A look at a local file costs next to nothing: a missing one is looked for
/// as often as a change.
peer_source_config file_source(milliseconds interval) {
  auto result = source("file_peers", interval);
  result.retry.greatest = interval;
  return result;
}

} // namespace

bool has_peer_sources(const configuration& settings) {
  auto self = endpoint{settings.node.advertised_address, settings.cluster.port};
  auto& nodes = settings.discovery.nodes;
  return asks_for_peers(settings.discovery)
         || std::any_of(nodes.begin(), nodes.end(),
                        [&](auto& where) { return where != self; });
}

void add_peer_sources(node_context& node, std::vector<child_spec>& children) {
  auto& from = node.settings.discovery;
  if (!from.nodes.empty())
    children.push_back(static_source(node));
  if (!from.dns.name.empty())
    children.push_back(
      blocking(node, source("dns_peers", from.dns.interval), dns_finder));
  if (!from.srv.name.empty())
    children.push_back(
      blocking(node, source("srv_peers", from.srv.interval), srv_finder));
  if (!from.file.path.empty())
    children.push_back(
      blocking(node, file_source(from.file.interval), file_finder));
  if (!from.redis.host.empty())
    children.push_back(
      blocking(node, source("redis_peers", from.redis.interval), redis_finder));
}

} // namespace troupe

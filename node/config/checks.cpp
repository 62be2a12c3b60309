#include "node/config/checks.hpp"

#include <array>

#include <fmt/format.h>

#include <arpa/inet.h>

#include "discovery/certificates/credentials.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

using finding = std::optional<std::string>;

bool is_loopback(const std::string& address) {
  in_addr v4;
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, address.c_str(), &v6) == 1
         && IN6_IS_ADDR_LOOPBACK(&v6);
}

/// Raft needs several heartbeats per election timeout (Raft §5.6).
finding election_outlasts_heartbeats(const configuration& c) {
  auto least = 3 * c.cluster.heartbeat_interval;
  if (c.cluster.election_timeout >= least)
    return std::nullopt;
  return fmt::format("cluster.electionTimeout is {} ms, must be at least three "
                     "times cluster.heartbeatInterval ({} ms)",
                     c.cluster.election_timeout.count(), least.count());
}

finding suspicion_outlasts_heartbeats(const configuration& c) {
  auto least = 3 * c.cluster.heartbeat_interval;
  if (c.cluster.suspect_timeout >= least)
    return std::nullopt;
  return fmt::format("cluster.suspectTimeout is {} ms, must be at least three "
                     "times cluster.heartbeatInterval ({} ms)",
                     c.cluster.suspect_timeout.count(), least.count());
}

finding down_outlasts_suspicion(const configuration& c) {
  if (c.cluster.down_timeout >= c.cluster.suspect_timeout)
    return std::nullopt;
  return fmt::format("cluster.downTimeout is {} ms, must be at least "
                     "cluster.suspectTimeout ({} ms)",
                     c.cluster.down_timeout.count(),
                     c.cluster.suspect_timeout.count());
}

finding open_cluster_port_is_wanted(const configuration& c) {
  if (!c.cluster.enabled || c.cluster.insecure || c.tls.enabled()
      || is_loopback(c.node.address))
    return std::nullopt;
  return fmt::format(
    "node.address is {}: the traffic between nodes is neither encrypted nor "
    "authenticated, so anyone who reaches port {} could take over the cluster. "
    "Give the node certificates (tls.certificate, tls.key, tls.authority; "
    "troupe certs makes them), bind to a loopback address (127.0.0.1), or, on "
    "a network where every host is trusted, allow it with --insecure-cluster "
    "(cluster.insecure)",
    c.node.address, c.cluster.port);
}

finding tls_files_are_complete(const configuration& c) {
  auto& tls = c.tls;
  auto given = int{!tls.certificate.empty()} + int{!tls.key.empty()}
               + int{!tls.authority.empty()};
  if (given == 0 || given == 3)
    return std::nullopt;
  auto name = [](std::string_view path, const std::string& file) {
    return file.empty() ? fmt::format(" {}", path) : std::string{};
  };
  return fmt::format("TLS needs three files, missing:{}{}{}",
                     name("tls.certificate", tls.certificate),
                     name("tls.key", tls.key),
                     name("tls.authority", tls.authority));
}

/// Reads the files: what is wrong with them is better said now than by the
/// peers that refuse this node.
finding tls_files_fit_together(const configuration& c) {
  if (!c.tls.enabled() || tls_files_are_complete(c))
    return std::nullopt;
  auto loaded =
    credentials::load({c.tls.certificate, c.tls.key, c.tls.authority},
                      c.cluster.name, std::chrono::system_clock::now());
  if (loaded)
    return std::nullopt;
  return describe(loaded.error()).detail;
}

finding ports_are_distinct(const configuration& c) {
  struct listener {
    std::string_view path;
    std::uint16_t port;
    bool enabled;
  };
  const std::array listeners = {
    listener{"node.apiPort", c.node.api_port, true},
    listener{"cluster.port", c.cluster.port, c.cluster.enabled},
    listener{"proxy.port", c.proxy.port, c.proxy.enabled},
    listener{"resp.port", c.resp.port, c.resp.enabled},
  };
  for (auto a = listeners.begin(); a != listeners.end(); ++a)
    for (auto b = a + 1; b != listeners.end(); ++b)
      if (a->enabled && b->enabled && a->port == b->port)
        return fmt::format("{} and {} are both {}, must differ", a->path,
                           b->path, a->port);
  return std::nullopt;
}

finding peers_can_be_found(const configuration& c) {
  if (c.cluster.expected_nodes == 1)
    return std::nullopt;
  if (!c.cluster.enabled)
    return fmt::format("cluster.expectedNodes is {}, must be 1 when "
                       "cluster.enabled is false",
                       c.cluster.expected_nodes);
  if (!c.discovery.nodes.empty() || asks_for_peers(c.discovery))
    return std::nullopt;
  return fmt::format("cluster.expectedNodes is {}, but there is no way to find "
                     "the others: give their addresses with --join "
                     "(discovery.nodes), or a DNS name (discovery.dns.name, "
                     "discovery.srv.name), a file (discovery.file.path) or a "
                     "Redis server (discovery.redis.host)",
                     c.cluster.expected_nodes);
}

finding registrations_outlast_their_renewal(const configuration& c) {
  auto& redis = c.discovery.redis;
  auto least = 2 * redis.interval;
  if (redis.ttl >= least)
    return std::nullopt;
  return fmt::format("discovery.redis.ttl is {} s, must be at least twice "
                     "discovery.redis.interval ({} ms)",
                     redis.ttl.count(), least.count());
}

finding checks_end_before_the_next(const configuration& c) {
  auto& check = c.load_balancer.health_check;
  if (check.timeout <= check.interval)
    return std::nullopt;
  return fmt::format("loadBalancer.healthCheck.timeout is {} ms, must be at "
                     "most loadBalancer.healthCheck.interval ({} ms)",
                     check.timeout.count(), check.interval.count());
}

/// More than what a cache shard keeps about an entry, in bytes.
constexpr std::uint64_t entry_overhead = 256;

finding one_entry_fits_the_cache(const configuration& c) {
  auto& memory = c.cache.memory;
  auto threads = io_thread_count(c.node);
  auto entry = memory.max_key_size + memory.max_value_size + entry_overhead;
  if (entry <= memory.max_bytes / threads)
    return std::nullopt;
  return fmt::format("cache.memory.maxBytes is {}, must be at least {}: room "
                     "for one entry of cache.memory.maxKeySize and "
                     "cache.memory.maxValueSize on each of {} io threads",
                     memory.max_bytes, entry * threads, threads);
}

finding one_body_fits_the_budget(const configuration& c) {
  if (c.node.max_body_size <= c.node.max_body_bytes_in_flight)
    return std::nullopt;
  return fmt::format("node.maxBodyBytesInFlight is {}, must be at least "
                     "node.maxBodySize ({})",
                     c.node.max_body_bytes_in_flight, c.node.max_body_size);
}

finding instance_bounds_are_ordered(const configuration& c) {
  auto& scaling = c.scaling.auto_scaling;
  if (scaling.min_instances <= scaling.max_instances)
    return std::nullopt;
  return fmt::format("scaling.autoScaling.minInstances is {}, must be at most "
                     "scaling.autoScaling.maxInstances ({})",
                     scaling.min_instances, scaling.max_instances);
}

} // namespace

std::span<const cross_check> all_cross_checks() {
  static const std::vector<cross_check> checks = {
    {{"cluster.electionTimeout", "cluster.heartbeatInterval"},
     election_outlasts_heartbeats},
    {{"cluster.suspectTimeout", "cluster.heartbeatInterval"},
     suspicion_outlasts_heartbeats},
    {{"cluster.downTimeout", "cluster.suspectTimeout"},
     down_outlasts_suspicion},
    {{"node.address", "cluster.insecure", "cluster.enabled"},
     open_cluster_port_is_wanted},
    {{"tls.certificate", "tls.key", "tls.authority"}, tls_files_are_complete},
    {{"tls.certificate", "tls.key", "tls.authority", "cluster.name"},
     tls_files_fit_together},
    {{"node.apiPort", "cluster.port", "proxy.port", "resp.port",
      "cluster.enabled", "proxy.enabled", "resp.enabled"},
     ports_are_distinct},
    {{"cluster.expectedNodes", "cluster.enabled", "discovery.nodes",
      "discovery.dns.name", "discovery.srv.name", "discovery.file.path",
      "discovery.redis.host"},
     peers_can_be_found},
    {{"discovery.redis.ttl", "discovery.redis.interval"},
     registrations_outlast_their_renewal},
    {{"loadBalancer.healthCheck.timeout", "loadBalancer.healthCheck.interval"},
     checks_end_before_the_next},
    {{"cache.memory.maxBytes", "cache.memory.maxKeySize",
      "cache.memory.maxValueSize", "node.ioThreads"},
     one_entry_fits_the_cache},
    {{"node.maxBodyBytesInFlight", "node.maxBodySize"},
     one_body_fits_the_budget},
    {{"scaling.autoScaling.minInstances", "scaling.autoScaling.maxInstances"},
     instance_bounds_are_ordered},
  };
  return checks;
}

} // namespace troupe

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/cluster_state.hpp"

// A node's settings as the program reads them. Names, defaults, bounds and
// descriptions are declared in `options_*.cpp`, nowhere else: a
// default-constructed struct holds no defaults, `default_configuration()` does.
// The members stand in the order and under the names of docs/configuration.md.

namespace troupe {

using milliseconds = std::chrono::milliseconds;

enum class log_level : std::uint8_t { error, warn, info, debug, trace };

std::string_view to_string(log_level level);

/// This process and its API server.
struct node_settings {
  /// Never empty once loaded: the host's name by default.
  std::string name;
  std::string data_directory;
  std::string log_directory;
  /// IP address that every listener binds to.
  std::string address;
  /// Host that others are told. Never empty once loaded: `address`, or the
  /// host's name when that is a wildcard.
  std::string advertised_address;
  std::uint16_t api_port = 0;
  /// 0: one per core; see `io_thread_count`.
  std::uint32_t io_threads = 0;
  std::uint32_t max_connections = 0;
  std::uint64_t max_header_size = 0;
  std::uint64_t max_body_size = 0;
  std::uint64_t max_body_bytes_in_flight = 0;
  std::uint64_t max_answer_bytes_in_flight = 0;
  std::uint64_t min_read_rate = 0;
  milliseconds header_timeout{};
  milliseconds body_timeout{};
  milliseconds request_timeout{};
  milliseconds write_timeout{};
  milliseconds idle_timeout{};
  std::vector<std::string> allowed_hosts;
  std::string cors_origin;
  std::string environment;
};

/// The number of io threads to start: the setting, or the machine's cores.
std::uint32_t io_thread_count(const node_settings& node);

/// Consensus and membership, and the supervision of the node's own actors.
struct cluster_settings {
  bool enabled = false;
  std::string name;
  std::uint16_t port = 0;
  std::uint32_t expected_nodes = 0;
  std::uint32_t max_voters = 0;
  std::string profile;
  milliseconds heartbeat_interval{};
  milliseconds election_timeout{};
  milliseconds suspect_timeout{};
  milliseconds down_timeout{};
  milliseconds forget_after{};
  bool insecure = false;
  std::uint32_t worker_count = 0;
  std::uint32_t max_restarts = 0;
  milliseconds restart_window{};
  milliseconds restart_delay{};
  milliseconds graceful_shutdown_timeout{};
  milliseconds health_check_interval{};
  bool auto_restart = false;
};

struct dns_settings {
  /// Empty: no look-ups.
  std::string name;
  std::uint16_t port = 0;
  milliseconds interval{};
};

struct srv_settings {
  /// Empty: no look-ups.
  std::string name;
  milliseconds interval{};
  /// `host:port`. Empty: the system's name servers.
  std::string server;
};

struct peer_file_settings {
  /// Empty: none.
  std::string path;
  milliseconds interval{};
};

struct peer_redis_settings {
  /// Empty: none.
  std::string host;
  std::uint16_t port = 0;
  std::string password;
  milliseconds interval{};
  /// Of a registration.
  std::chrono::seconds ttl{};
};

/// Where peers may be found.
struct discovery_settings {
  std::vector<endpoint> nodes;
  dns_settings dns;
  srv_settings srv;
  peer_file_settings file;
  peer_redis_settings redis;
};

/// Whether anything but the list of nodes tells of peers.
bool asks_for_peers(const discovery_settings& discovery);

struct proxy_route {
  /// Empty: any.
  std::string host;
  /// Prefix of the path.
  std::string path;
  std::string service;
};

/// The reverse proxy.
struct proxy_settings {
  bool enabled = false;
  std::uint16_t port = 0;
  /// May be empty: requests that no route takes get 404.
  std::string default_service;
  std::vector<proxy_route> routes;
  /// Addresses and ranges (`messages/ip_range.hpp`).
  std::vector<std::string> trusted_proxies;
  bool via = false;
  std::uint32_t max_connections = 0;
  std::uint64_t max_header_size = 0;
  std::uint32_t max_idle_upstreams = 0;
  /// `never`, `safe`, `aggressive` or `always`.
  std::string reuse;
  bool abort_on_close = false;
  milliseconds connect_timeout{};
  milliseconds response_timeout{};
  milliseconds body_idle_timeout{};
  milliseconds client_header_timeout{};
  milliseconds idle_timeout{};
  milliseconds upstream_idle_timeout{};
  milliseconds tunnel_idle_timeout{};
};

/// The listener for the Redis protocol.
struct resp_settings {
  bool enabled = false;
  std::uint16_t port = 0;
};

/// How the servers of one service are checked.
struct service_check {
  std::string service;
  std::string type;
  std::string path;
  std::string host;
  /// 0: the server's own.
  std::uint16_t port = 0;
};

struct health_check_settings {
  bool enabled = false;
  milliseconds interval{};
  milliseconds timeout{};
  /// `http` or `tcp`.
  std::string type;
  std::string path;
  /// Empty: the server's host and port.
  std::string host;
  /// 0: the server's own.
  std::uint16_t port = 0;
  std::vector<service_check> services;
  std::uint32_t unhealthy_threshold = 0;
  std::uint32_t healthy_threshold = 0;
};

struct ssl_settings {
  bool enabled = false;
  std::vector<std::string> protocols;
};

/// What picks servers when `algorithm` is asked for: what this version does not
/// have is replaced by `round-robin`.
std::string_view algorithm_in_effect(std::string_view algorithm);

struct load_balancer_settings {
  std::string algorithm;
  health_check_settings health_check;
  /// Failed answers in a row; 0: they do not count.
  std::uint32_t passive_threshold = 0;
  ssl_settings ssl;
};

struct redis_settings {
  bool enabled = false;
  std::string host;
  std::uint16_t port = 0;
  std::string password;
  std::chrono::seconds ttl{};
};

/// The cache's own store, per node.
struct memory_settings {
  bool enabled = false;
  std::uint64_t max_size = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_key_size = 0;
  std::uint64_t max_value_size = 0;
  /// Of entries that are stored without one. 0: they don't expire.
  std::chrono::seconds ttl{};
};

struct cache_settings {
  redis_settings redis;
  memory_settings memory;
};

struct auto_scaling_settings {
  bool enabled = false;
  std::uint32_t min_instances = 0;
  std::uint32_t max_instances = 0;
  std::uint32_t target_cpu_percent = 0;
  std::uint32_t target_memory_percent = 0;
};

struct scaling_settings {
  auto_scaling_settings auto_scaling;
};

struct prometheus_settings {
  bool enabled = false;
  std::uint16_t port = 0;
};

struct monitoring_settings {
  prometheus_settings prometheus;
};

struct log_settings {
  log_level level = log_level::info;
};

/// Mutual TLS between nodes: all of it is set, or nothing.
struct tls_settings {
  std::string certificate;
  std::string key;
  std::string authority;

  bool enabled() const noexcept { return !certificate.empty(); }
};

struct auth_settings {
  std::string jwt_secret;
};

struct configuration {
  node_settings node;
  cluster_settings cluster;
  discovery_settings discovery;
  proxy_settings proxy;
  resp_settings resp;
  load_balancer_settings load_balancer;
  cache_settings cache;
  scaling_settings scaling;
  monitoring_settings monitoring;
  log_settings log;
  tls_settings tls;
  auth_settings auth;
};

} // namespace troupe

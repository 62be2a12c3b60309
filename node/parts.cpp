#include "node/parts.hpp"

#include <algorithm>

#include "node/config/options.hpp"

namespace troupe {

cluster_transport_config transport_part(const configuration& settings) {
  auto& from = settings.tls;
  cluster_transport_config result;
  result.cluster_name = settings.cluster.name;
  if (from.enabled())
    result.tls = tls_files{from.certificate, from.key, from.authority};
  // A value of the cache is the largest thing that one node asks of another.
  auto& entry = settings.cache.memory;
  constexpr std::uint64_t beside = 1 << 20;
  result.max_message_bytes =
    std::max(result.max_message_bytes,
             entry.max_key_size + entry.max_value_size + beside);
  return result;
}

server_config api_limits(const configuration& settings) {
  auto& from = settings.node;
  server_config result;
  result.max_header_bytes = static_cast<std::uint32_t>(from.max_header_size);
  result.max_body_bytes = from.max_body_size;
  result.max_body_bytes_in_flight = from.max_body_bytes_in_flight;
  result.max_answer_bytes_in_flight = from.max_answer_bytes_in_flight;
  result.min_read_rate = from.min_read_rate;
  result.header_timeout = from.header_timeout;
  result.body_timeout = from.body_timeout;
  result.write_timeout = from.write_timeout;
  result.idle_timeout = from.idle_timeout;
  result.request_deadline = from.request_timeout;
  result.max_connections = from.max_connections;
  return result;
}

gateway_config gateway_part(const configuration& settings,
                            const node_info& self, unix_ms started_at) {
  gateway_config result;
  result.self = self;
  result.default_service = settings.proxy.default_service.empty()
                             ? "default"
                             : settings.proxy.default_service;
  if (settings.proxy.enabled) {
    if (!settings.proxy.default_service.empty())
      result.routed_services.push_back(settings.proxy.default_service);
    for (auto& rule : settings.proxy.routes)
      result.routed_services.push_back(rule.service);
  }
  result.algorithm = algorithm_in_effect(settings.load_balancer.algorithm);
  result.default_ttl = settings.cache.memory.ttl;
  result.started_at = started_at;
  result.allowed_hosts = settings.node.allowed_hosts;
  result.max_key_bytes = settings.cache.memory.max_key_size;
  result.max_value_bytes = settings.cache.memory.max_value_size;
  return result;
}

static connection_reuse reuse_of(std::string_view name) {
  if (name == "never")
    return connection_reuse::never;
  if (name == "aggressive")
    return connection_reuse::aggressive;
  return name == "always" ? connection_reuse::always : connection_reuse::safe;
}

proxy_config proxy_part(const configuration& settings) {
  auto& from = settings.proxy;
  proxy_config result;
  result.connect_timeout = from.connect_timeout;
  result.client_header_timeout = from.client_header_timeout;
  result.response_header_timeout = from.response_timeout;
  result.body_idle_timeout = from.body_idle_timeout;
  result.keep_alive_timeout = from.idle_timeout;
  result.upstream_idle_timeout = from.upstream_idle_timeout;
  result.tunnel_idle_timeout = from.tunnel_idle_timeout;
  result.max_header_bytes = from.max_header_size;
  for (auto& text : from.trusted_proxies)
    if (auto range = parse_ip_range(text))
      result.trusted_proxies.push_back(*range);
  result.via = from.via;
  result.max_idle_per_server = from.max_idle_upstreams;
  result.reuse = reuse_of(from.reuse);
  result.abort_on_close = from.abort_on_close;
  result.answer_failures = settings.load_balancer.passive_threshold;
  result.max_connections = from.max_connections;
  return result;
}

health_prober_config health_prober_part(const configuration& settings,
                                        member_id self) {
  auto& from = settings.load_balancer.health_check;
  health_prober_config result;
  result.self = self;
  result.enabled = from.enabled;
  result.interval = from.interval;
  result.timeout = from.timeout;
  result.check = {from.type == "tcp", from.path, from.host, from.port};
  for (auto& one : from.services)
    result.by_service[one.service] = {one.type == "tcp", one.path, one.host,
                                      one.port};
  result.unhealthy_threshold = from.unhealthy_threshold;
  result.healthy_threshold = from.healthy_threshold;
  return result;
}

std::uint64_t digest_of_routes(const configuration& settings) {
  // FNV-1a: the same in each build, and no secret.
  std::uint64_t digest = 0xcbf29ce484222325;
  for (auto path : {"proxy.routes", "proxy.defaultService"})
    for (unsigned char c : to_json(find_option(path)->load(settings)) + "\n")
      digest = (digest ^ c) * 0x100000001b3;
  return digest;
}

} // namespace troupe

#include "messages/text_rules.hpp"
#include "node/config/options.hpp"
#include "node/config/units.hpp"

namespace troupe {

namespace {

template <auto Member, class Default>
option proxy(std::string_view path, std::string_view description,
             const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::proxy, Member>(
    path, description, default_value, std::move(traits));
}

template <auto Member, class Default>
option health_check(std::string_view path, std::string_view description,
                    const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::load_balancer,
                 &load_balancer_settings::health_check, Member>(
    path, description, default_value, std::move(traits));
}

void declare_proxy(option_table& table) {
  using s = proxy_settings;
  table.insert(
    table.end(),
    {
      proxy<&s::enabled>("proxy.enabled", "Whether the node runs a proxy.",
                         true),
      proxy<&s::port>("proxy.port", "Port of the proxy.", 8080,
                      {.min = 1, .flag = "--proxy-port"}),
      proxy<&s::default_service>(
        "proxy.defaultService",
        "Service of the requests that no route takes. Empty: they get 404.",
        "default",
        {.rule = &text_rules::optional_name, .flag = "--default-service"}),
      proxy<&s::routes>("proxy.routes",
                        "Which requests go to which service. The most "
                        "specific route wins: by host, then by the length of "
                        "the path.",
                        std::vector<proxy_route>{}),
      proxy<&s::trusted_proxies>(
        "proxy.trustedProxies",
        "Addresses of proxies in front of this one, or ranges of them "
        "(10.0.0.0/8). What they say in X-Forwarded fields is kept; what other "
        "clients say there is replaced.",
        std::vector<std::string>{}, {.rule = &text_rules::ip_range}),
      proxy<&s::via>("proxy.via",
                     "Whether requests carry Via: 1.1 troupe. Some servers "
                     "then no longer compress (nginx, gzip_proxied).",
                     false),
      proxy<&s::max_connections>("proxy.maxConnections",
                                 "Clients' connections at a time; one more is "
                                 "answered 503.",
                                 10'000, {.min = 1, .max = 1'000'000}),
      proxy<&s::max_header_size>(
        "proxy.maxHeaderSize",
        "Bytes of a request's or an answer's start line and header together, "
        "and of the trailers of either. More: 431 or 502.",
        16 * kib, {.min = kib, .max = mib}),
      proxy<&s::max_idle_upstreams>(
        "proxy.maxIdleUpstreams",
        "Idle connections that an io thread keeps to each server.", 64,
        {.max = 10'000}),
      proxy<&s::reuse>(
        "proxy.reuse",
        "Which requests may share connections to servers. `never`: none. "
        "`safe`: all but the first of a client's connection, unless the proxy "
        "can repeat it (no body, and a method like GET or PUT): a server may "
        "close an idle connection just then. `aggressive`: those too, on "
        "connections that served more than one request. `always`: all. A "
        "connection on which a server authenticated a user (NTLM, Negotiate) "
        "stays with its client whatever stands here.",
        "safe", {.choices = {"never", "safe", "aggressive", "always"}}),
      proxy<&s::abort_on_close>(
        "proxy.abortOnClose",
        "Whether a request ends when its client ends its side of the "
        "connection. Without, the answer is waited for: a client may have "
        "ended its side only, as `nc -N` does.",
        true),
      proxy<&s::connect_timeout>(
        "proxy.connectTimeout",
        "Of one attempt to connect to a server; then the next is tried.", 2'000,
        {.min = 1, .max = hour_ms}),
      proxy<&s::response_timeout>(
        "proxy.responseTimeout",
        "From a request's end to the end of the answer's header. Later: 504.",
        60'000, {.min = 1, .max = hour_ms}),
      proxy<&s::body_idle_timeout>(
        "proxy.bodyIdleTimeout", "Without progress in a body, on either side.",
        60'000, {.min = 10, .max = hour_ms}),
      proxy<&s::client_header_timeout>(
        "proxy.clientHeaderTimeout",
        "From a connection's start, or a request's first byte, to the end of "
        "its header.",
        10'000, {.min = 10, .max = hour_ms}),
      proxy<&s::idle_timeout>("proxy.idleTimeout",
                              "How long a client's connection is kept open "
                              "between two requests.",
                              60'000, {.min = 10, .max = hour_ms}),
      proxy<&s::upstream_idle_timeout>(
        "proxy.upstreamIdleTimeout",
        "How long an unused connection to a server is kept open. Less than "
        "the servers' own limit is best.",
        30'000, {.min = 10, .max = hour_ms}),
      proxy<&s::tunnel_idle_timeout>(
        "proxy.tunnelIdleTimeout",
        "Without any byte after a switch of protocols (WebSocket).", hour_ms,
        {.min = 10, .max = 24 * hour_ms}),
    });
}

void declare_resp(option_table& table) {
  table.push_back(declare<&configuration::resp, &resp_settings::enabled>(
    "resp.enabled", "Whether the node speaks the Redis protocol.", true,
    {.reserved = true}));
  table.push_back(declare<&configuration::resp, &resp_settings::port>(
    "resp.port", "Port of the Redis protocol.", 6380,
    {.min = 1, .flag = "--resp-port", .reserved = true}));
}

void declare_load_balancer(option_table& table) {
  using health = health_check_settings;
  using s = load_balancer_settings;
  table.insert(
    table.end(),
    {
      declare<&configuration::load_balancer, &s::algorithm>(
        "loadBalancer.algorithm",
        "How a server is picked. `round-robin` respects weights, as "
        "`weighted` does; the others are not in this version: the node warns "
        "and does as `round-robin`.",
        "round-robin",
        {.choices = {"round-robin", "weighted", "least-connections",
                     "ip-hash"}}),
      health_check<&health::enabled>("loadBalancer.healthCheck.enabled",
                                     "Whether servers are checked.", true),
      health_check<&health::interval>("loadBalancer.healthCheck.interval",
                                      "Between two checks of a server.", 2'000,
                                      {.min = 100, .max = hour_ms}),
      health_check<&health::timeout>(
        "loadBalancer.healthCheck.timeout",
        "How long a check may take. At most the interval.", 2'000,
        {.min = 10, .max = hour_ms}),
      health_check<&health::type>(
        "loadBalancer.healthCheck.type",
        "`http` asks for the path, `tcp` only whether the server takes a "
        "connection.",
        "http", {.choices = {"http", "tcp"}}),
      health_check<&health::path>(
        "loadBalancer.healthCheck.path",
        "Requested with GET; a status from 200 to 399 passes.", "/health",
        {.rule = &text_rules::url_path}),
      health_check<&health::host>(
        "loadBalancer.healthCheck.host",
        "Host that the request names. Empty: the server's host and port.", "",
        {.rule = &text_rules::optional_host}),
      health_check<&health::port>(
        "loadBalancer.healthCheck.port",
        "Port that is checked. 0: that of the server.", 0),
      health_check<&health::services>(
        "loadBalancer.healthCheck.services",
        "How the servers of certain services are checked instead.",
        std::vector<service_check>{}),
      health_check<&health::unhealthy_threshold>(
        "loadBalancer.healthCheck.unhealthyThreshold",
        "Failures in a row that take a server out.", 3,
        {.min = 1, .max = 1'000}),
      health_check<&health::healthy_threshold>(
        "loadBalancer.healthCheck.healthyThreshold",
        "Passes in a row that bring it back.", 2, {.min = 1, .max = 1'000}),
      declare<&configuration::load_balancer, &s::passive_threshold>(
        "loadBalancer.passiveCheck.threshold",
        "Answers of 5xx, answers that did not come in time and broken "
        "connections in a row after which an io thread of the proxy prefers "
        "other servers: for 1 s, twice as long with each further failure, 10 s "
        "at most. A failed connect counts at once. 0: only that.",
        5, {.max = 1'000}),
      declare<&configuration::load_balancer, &s::ssl, &ssl_settings::enabled>(
        "loadBalancer.ssl.enabled", "Whether the proxy speaks HTTPS.", true,
        {.reserved = true}),
      declare<&configuration::load_balancer, &s::ssl, &ssl_settings::protocols>(
        "loadBalancer.ssl.protocols", "Versions that clients may use.",
        std::vector<std::string>{"TLSv1.2", "TLSv1.3"},
        {.choices = {"TLSv1.2", "TLSv1.3"}, .reserved = true}),
    });
}

} // namespace

template <>
const std::vector<basic_option<proxy_route>>& item_fields<proxy_route>() {
  static const std::vector<basic_option<proxy_route>> fields = {
    declare<&proxy_route::host>("host",
                                "Host of the request, without port. Empty: "
                                "any.",
                                "", {.rule = &text_rules::optional_host}),
    declare<&proxy_route::path>("path",
                                "Prefix of the request's path, in whole "
                                "segments.",
                                "/", {.rule = &text_rules::url_path}),
    declare<&proxy_route::service>(
      "service", "Service that gets the request.", "",
      {.rule = &text_rules::name, .required = true}),
  };
  return fields;
}

template <>
const std::vector<basic_option<service_check>>& item_fields<service_check>() {
  static const std::vector<basic_option<service_check>> fields = {
    declare<&service_check::service>(
      "service", "Service whose servers are checked so.", "",
      {.rule = &text_rules::name, .required = true}),
    declare<&service_check::type>("type", "As `loadBalancer.healthCheck.type`.",
                                  "http", {.choices = {"http", "tcp"}}),
    declare<&service_check::path>("path", "As `loadBalancer.healthCheck.path`.",
                                  "/health", {.rule = &text_rules::url_path}),
    declare<&service_check::host>("host", "As `loadBalancer.healthCheck.host`.",
                                  "", {.rule = &text_rules::optional_host}),
    declare<&service_check::port>("port", "As `loadBalancer.healthCheck.port`.",
                                  0),
  };
  return fields;
}

void declare_traffic_options(option_table& table) {
  declare_proxy(table);
  declare_resp(table);
  declare_load_balancer(table);
}

} // namespace troupe

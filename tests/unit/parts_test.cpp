#define CAF_SUITE parts

#include "tests/support/precompiled.hpp"

#include <sys/resource.h>

#include "node/config/load.hpp"
#include "node/descriptors.hpp"
#include "node/parts.hpp"

using namespace troupe;

namespace {

/// Settings in which each option of a section has a value of its own: the ones
/// given, in ms or as they are.
configuration
settings_of(const std::vector<std::pair<std::string, std::string>>& values) {
  configuration_sources sources;
  for (auto& [path, text] : values)
    sources.flags.push_back({path, text, "--set"});
  auto loaded = load_configuration(sources);
  if (!std::holds_alternative<loaded_configuration>(loaded))
    CAF_FAIL("the settings are refused");
  return std::get<loaded_configuration>(loaded).values;
}

} // namespace

CAF_TEST(each limit of the API has its own setting) {
  auto limits = api_limits(settings_of({{"node.maxHeaderSize", "2001"},
                                        {"node.maxBodySize", "2002"},
                                        {"node.maxBodyBytesInFlight", "2009"},
                                        {"node.headerTimeout", "2003"},
                                        {"node.bodyTimeout", "2004"},
                                        {"node.writeTimeout", "2005"},
                                        {"node.idleTimeout", "2006"},
                                        {"node.requestTimeout", "2007"},
                                        {"node.maxConnections", "2008"},
                                        {"node.maxAnswerBytesInFlight", "2010"},
                                        {"node.minReadRate", "2011"}}));
  CAF_CHECK_EQUAL(limits.max_header_bytes, 2001u);
  CAF_CHECK_EQUAL(limits.max_body_bytes, 2002u);
  CAF_CHECK_EQUAL(limits.max_body_bytes_in_flight, 2009u);
  CAF_CHECK_EQUAL(limits.header_timeout.count(), 2003);
  CAF_CHECK_EQUAL(limits.body_timeout.count(), 2004);
  CAF_CHECK_EQUAL(limits.write_timeout.count(), 2005);
  CAF_CHECK_EQUAL(limits.idle_timeout.count(), 2006);
  CAF_CHECK_EQUAL(limits.request_deadline.count(), 2007);
  CAF_CHECK_EQUAL(limits.max_connections, 2008u);
  CAF_CHECK_EQUAL(limits.max_answer_bytes_in_flight, 2010u);
  CAF_CHECK_EQUAL(limits.min_read_rate, 2011u);
}

CAF_TEST(the largest value that the cache takes fits between nodes) {
  auto bytes_for = [](std::uint64_t value_size) {
    auto settings = default_configuration();
    settings.cache.memory.max_value_size = value_size;
    return transport_part(settings).max_message_bytes;
  };
  CAF_CHECK_EQUAL(bytes_for(1u << 20), 64u << 20);
  CAF_CHECK_GREATER(bytes_for(512u << 20), (512u << 20) + (64u << 10));
}

CAF_TEST(nodes that route alike have the same digest of their routes) {
  auto digest = [](std::vector<std::pair<std::string, std::string>> values) {
    return digest_of_routes(settings_of(values));
  };
  std::string route = R"([{"path": "/api", "service": "shop-api"}])";
  std::set<std::uint64_t> digests = {
    digest({}),
    digest({{"proxy.defaultService", "shop"}}),
    digest({{"proxy.routes", route}}),
    digest({{"proxy.routes", route}, {"proxy.defaultService", "shop"}}),
  };
  CAF_CHECK_EQUAL(digests.size(), 4u);
  CAF_CHECK_EQUAL(digests.count(0), 0u);
  CAF_CHECK_EQUAL(digest({{"node.name", "a"}, {"proxy.port", "81"}}),
                  digest({{"node.name", "b"}}));
}

CAF_TEST(the statistics name the algorithm in effect) {
  auto named = [](const std::string& algorithm) {
    auto settings = settings_of({{"loadBalancer.algorithm", algorithm}});
    return gateway_part(settings, {}, 0).algorithm;
  };
  CAF_CHECK_EQUAL(named("round-robin"), "round-robin");
  CAF_CHECK_EQUAL(named("weighted"), "weighted");
  CAF_CHECK_EQUAL(named("least-connections"), "round-robin");
  CAF_CHECK_EQUAL(named("ip-hash"), "round-robin");
}

CAF_TEST(each limit of the proxy has its own setting) {
  auto config =
    proxy_part(settings_of({{"proxy.connectTimeout", "2001"},
                            {"proxy.responseTimeout", "2002"},
                            {"proxy.bodyIdleTimeout", "2003"},
                            {"proxy.clientHeaderTimeout", "2004"},
                            {"proxy.idleTimeout", "2005"},
                            {"proxy.upstreamIdleTimeout", "2006"},
                            {"proxy.tunnelIdleTimeout", "2007"},
                            {"proxy.maxHeaderSize", "2008"},
                            {"proxy.maxIdleUpstreams", "2009"},
                            {"proxy.trustedProxies", "10.0.0.0/8,fd00::1"},
                            {"proxy.via", "true"},
                            {"proxy.maxConnections", "2010"}}));
  CAF_CHECK_EQUAL(config.connect_timeout.count(), 2001);
  CAF_CHECK_EQUAL(config.response_header_timeout.count(), 2002);
  CAF_CHECK_EQUAL(config.body_idle_timeout.count(), 2003);
  CAF_CHECK_EQUAL(config.client_header_timeout.count(), 2004);
  CAF_CHECK_EQUAL(config.keep_alive_timeout.count(), 2005);
  CAF_CHECK_EQUAL(config.upstream_idle_timeout.count(), 2006);
  CAF_CHECK_EQUAL(config.tunnel_idle_timeout.count(), 2007);
  CAF_CHECK_EQUAL(config.max_header_bytes, 2008u);
  CAF_CHECK_EQUAL(config.max_idle_per_server, 2009u);
  CAF_CHECK_EQUAL(config.max_connections, 2010u);
  CAF_CHECK(config.via);
  CAF_CHECK_EQUAL(config.trusted_proxies.size(), 2u);
  CAF_CHECK(contains(config.trusted_proxies, "10.1.2.3"));
  CAF_CHECK(contains(config.trusted_proxies, "fd00::1"));
  CAF_CHECK(!contains(config.trusted_proxies, "fd00::2"));
}

CAF_TEST(each option of the health checks has its own setting) {
  auto config = health_prober_part(
    settings_of({{"loadBalancer.healthCheck.interval", "2001"},
                 {"loadBalancer.healthCheck.timeout", "1001"},
                 {"loadBalancer.healthCheck.path", "/alive"},
                 {"loadBalancer.healthCheck.unhealthyThreshold", "7"},
                 {"loadBalancer.healthCheck.healthyThreshold", "8"}}),
    member_id{5});
  CAF_CHECK_EQUAL(config.interval.count(), 2001);
  CAF_CHECK_EQUAL(config.timeout.count(), 1001);
  CAF_CHECK_EQUAL(config.check.path, "/alive");
  CAF_CHECK(!config.check.tcp_only);
  CAF_CHECK_EQUAL(config.unhealthy_threshold, 7u);
  CAF_CHECK_EQUAL(config.healthy_threshold, 8u);
}

CAF_TEST(a service may be checked in its own way) {
  auto config = health_prober_part(
    settings_of({{"loadBalancer.healthCheck.type", "tcp"},
                 {"loadBalancer.healthCheck.host", "all.example"},
                 {"loadBalancer.healthCheck.port", "81"},
                 {"loadBalancer.healthCheck.services",
                  R"([{"service": "shop", "host": "shop.example",
                       "path": "/up", "port": 82}, {"service": "raw",
                       "type": "tcp"}])"}}),
    member_id{5});
  CAF_CHECK(config.check.tcp_only);
  CAF_CHECK_EQUAL(config.check.host, "all.example");
  CAF_CHECK_EQUAL(config.check.port, 81);
  auto& shop = config.by_service.at("shop");
  CAF_CHECK(!shop.tcp_only);
  CAF_CHECK_EQUAL(shop.host, "shop.example");
  CAF_CHECK_EQUAL(shop.path, "/up");
  CAF_CHECK_EQUAL(shop.port, 82);
  CAF_CHECK(config.by_service.at("raw").tcp_only);
  CAF_CHECK_EQUAL(config.by_service.at("raw").path, "/health");
}

CAF_TEST(how connections to servers are used has its settings) {
  auto config = proxy_part(settings_of({}));
  CAF_CHECK(config.reuse == connection_reuse::safe);
  CAF_CHECK(config.abort_on_close);
  CAF_CHECK_EQUAL(config.answer_failures, 5u);
  using reuse = connection_reuse;
  for (auto [name, value] : {std::pair{"never", reuse::never},
                             {"safe", reuse::safe},
                             {"aggressive", reuse::aggressive},
                             {"always", reuse::always}})
    CAF_CHECK(proxy_part(settings_of({{"proxy.reuse", name}})).reuse == value);
  auto other =
    proxy_part(settings_of({{"proxy.abortOnClose", "false"},
                            {"loadBalancer.passiveCheck.threshold", "7"}}));
  CAF_CHECK(!other.abort_on_close);
  CAF_CHECK_EQUAL(other.answer_failures, 7u);
}

CAF_TEST(the limit of descriptors is raised) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  auto lower = before;
  lower.rlim_cur = 64;
  CAF_REQUIRE(setrlimit(RLIMIT_NOFILE, &lower) == 0);
  CAF_CHECK_EQUAL(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  getrlimit(RLIMIT_NOFILE, &after);
  CAF_CHECK_EQUAL(after.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

CAF_TEST(clients never take the descriptors of the log and the cluster) {
  auto settings = settings_of({{"node.ioThreads", "2"},
                               {"node.maxConnections", "1000"},
                               {"proxy.maxConnections", "2000"}});
  auto needed = descriptors_needed(settings);
  auto plenty = plan_descriptors(settings, needed + 500);
  CAF_CHECK_EQUAL(plenty.api_connections, 1000u);
  CAF_CHECK_EQUAL(plenty.proxy_connections, 2000u);
  // The rest holds idle connections to servers.
  CAF_CHECK_EQUAL(plenty.proxy, 4500u);
  CAF_CHECK_EQUAL(plenty.own, 656u);
  for (std::uint64_t limit : {64u, 256u, 1024u, 4096u, 5655u, 5656u, 65536u}) {
    auto plan = plan_descriptors(settings, limit);
    CAF_CHECK_EQUAL(plan.own + plan.api_connections + plan.proxy, limit);
    CAF_CHECK_GREATER_OR_EQUAL(plan.own,
                               std::min<std::uint64_t>(656, limit / 2));
    CAF_CHECK_GREATER_OR_EQUAL(plan.proxy, 2 * plan.proxy_connections);
    CAF_CHECK_GREATER_OR_EQUAL(plan.api_connections,
                               std::min<std::uint64_t>(1000, limit / 8));
    CAF_CHECK_GREATER(plan.proxy_connections, 0u);
  }
  auto without_proxy =
    settings_of({{"node.maxConnections", "1000"}, {"proxy.enabled", "false"}});
  CAF_CHECK_EQUAL(plan_descriptors(without_proxy, 4096).proxy_connections, 0u);
}

CAF_TEST(too few descriptors for the settings are told with the numbers) {
  auto settings = settings_of(
    {{"node.maxConnections", "1000"}, {"proxy.maxConnections", "2000"}});
  auto needed = descriptors_needed(settings);
  CAF_CHECK_GREATER(needed, 5000u);
  CAF_CHECK(!descriptor_shortage(settings, needed));
  auto shortage = descriptor_shortage(settings, 1024);
  CAF_REQUIRE(shortage);
  auto plan = plan_descriptors(settings, 1024);
  for (auto number : {std::string{"1024"}, std::string{"1000"},
                      std::string{"2000"}, std::to_string(plan.api_connections),
                      std::to_string(plan.proxy_connections)})
    CAF_CHECK_NOT_EQUAL(shortage->find(number), std::string::npos);
  auto without_proxy =
    settings_of({{"node.maxConnections", "1000"}, {"proxy.enabled", "false"}});
  CAF_CHECK(!descriptor_shortage(without_proxy, 2000));
}

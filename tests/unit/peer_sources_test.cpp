#define CAF_SUITE peer_sources

#include "node/peer_sources.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;

namespace {

configuration lone_node() {
  configuration result;
  result.node.advertised_address = "10.0.0.1";
  result.cluster.port = 3007;
  return result;
}

std::vector<std::string> started(const configuration& settings) {
  node_context node;
  node.settings = settings;
  std::vector<child_spec> children;
  add_peer_sources(node, children);
  std::vector<std::string> result;
  result.reserve(children.size());
  for (auto& child : children)
    result.push_back(child.name);
  return result;
}

using texts = std::vector<std::string>;

} // namespace

CAF_TEST(nothing named means no peer sources) {
  auto settings = lone_node();
  CAF_CHECK(!has_peer_sources(settings));
  CAF_CHECK_EQUAL(started(settings), texts{});
}

CAF_TEST(a list of only the own address is no peer source) {
  auto settings = lone_node();
  settings.discovery.nodes = {{"10.0.0.1", 3007}};
  CAF_CHECK(!has_peer_sources(settings));
  settings.discovery.nodes.push_back({"10.0.0.1", 3008});
  CAF_CHECK(has_peer_sources(settings));
}

CAF_TEST(each place that is named has an actor and counts) {
  auto all = lone_node();
  auto check = [&](auto name, const char* actor) {
    auto settings = lone_node();
    name(settings.discovery);
    name(all.discovery);
    CAF_CHECK(has_peer_sources(settings));
    CAF_CHECK_EQUAL(started(settings), texts{actor});
  };
  check([](auto& from) { from.nodes = {{"a", 1}}; }, "static_peers");
  check([](auto& from) { from.dns.name = "a"; }, "dns_peers");
  check([](auto& from) { from.srv.name = "a"; }, "srv_peers");
  check([](auto& from) { from.file.path = "a"; }, "file_peers");
  check([](auto& from) { from.redis.host = "a"; }, "redis_peers");
  CAF_CHECK_EQUAL(started(all), (texts{"static_peers", "dns_peers", "srv_peers",
                                       "file_peers", "redis_peers"}));
}

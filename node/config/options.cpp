#include "node/config/options.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr std::array sections = {
  config_section{"node", "This process and its API server."},
  config_section{"cluster",
                 "Consensus and membership, and the supervision of the node's "
                 "own actors."},
  config_section{"discovery", "Where a node looks for its peers."},
  config_section{"proxy", "The reverse proxy in front of the services."},
  config_section{"resp", "The listener for the Redis protocol."},
  config_section{"loadBalancer",
                 "How servers are picked, and when they count as healthy."},
  config_section{"cache", "The cache that all nodes share."},
  config_section{"scaling", "How many instances a service gets."},
  config_section{"monitoring", "What is told to monitoring systems."},
  config_section{"log", "What is logged."},
  config_section{"tls", "Certificates of the node."},
  config_section{"auth", "Who may use the API."},
};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

} // namespace

const option_table& all_options() {
  static const auto table = [] {
    option_table result;
    declare_node_options(result);
    declare_cluster_options(result);
    declare_discovery_options(result);
    declare_traffic_options(result);
    declare_cache_options(result);
    declare_platform_options(result);
    return result;
  }();
  return table;
}

std::span<const config_section> all_sections() {
  return sections;
}

const option* find_option(std::string_view path) {
  auto& table = all_options();
  auto found = std::find_if(table.begin(), table.end(),
                            [&](auto& x) { return x.path == path; });
  return found == table.end() ? nullptr : &*found;
}

std::string variable_name(std::string_view path) {
  std::string result = "TROUPE_";
  for (auto c : path) {
    if (is_upper(c))
      result += '_';
    result += c == '.' ? '_' : to_upper(c);
  }
  return result;
}

} // namespace troupe

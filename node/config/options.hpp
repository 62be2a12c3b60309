#pragma once

#include <span>
#include <string>
#include <string_view>

#include "node/config/option.hpp"

namespace troupe {

/// All options, section by section in the order of the documentation.
const option_table& all_options();

/// The fields of one item of a list: `proxy.routes`,
/// `loadBalancer.healthCheck.services`.
template <class Item>
const std::vector<basic_option<Item>>& item_fields();

template <>
const std::vector<basic_option<proxy_route>>& item_fields<proxy_route>();

template <>
const std::vector<basic_option<service_check>>& item_fields<service_check>();

/// A top-level key of the file.
struct config_section {
  std::string_view name;
  std::string_view description;
};

std::span<const config_section> all_sections();

/// The option of that path, or null.
const option* find_option(std::string_view path);

/// `TROUPE_CLUSTER_EXPECTED_NODES` for `cluster.expectedNodes`.
std::string variable_name(std::string_view path);

/// @name The table's parts
/// @{
void declare_node_options(option_table& table);
void declare_cluster_options(option_table& table);
void declare_discovery_options(option_table& table);
void declare_traffic_options(option_table& table);
void declare_cache_options(option_table& table);
void declare_platform_options(option_table& table);
/// @}

} // namespace troupe

#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/option.hpp"
#include "node/config/problem.hpp"

namespace troupe {

/// Called for each known path with its index among the names.
using known_path_handler =
  std::function<void(std::size_t name, const config_value&, reading&)>;

/// Walks an object along `names` (dotted paths). What is no name and leads to
/// none is reported with the nearest right one.
void walk_object(const config_value& object,
                 std::span<const std::string_view> names, reading& in,
                 const known_path_handler& on_known);

/// `, did you mean "cluster.port"?`, or nothing when no name is near.
std::string suggestion(std::string_view wrong,
                       std::span<const std::string_view> names);

/// The paths of a table.
template <class Root>
std::vector<std::string_view>
paths_of(const std::vector<basic_option<Root>>& table) {
  std::vector<std::string_view> result;
  result.reserve(table.size());
  for (auto& x : table)
    result.push_back(x.path);
  return result;
}

} // namespace troupe

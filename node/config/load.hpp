#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/config/configuration.hpp"
#include "node/config/problem.hpp"

namespace troupe {

/// Environment variables by name.
using environment = std::map<std::string, std::string>;

/// An option as the command line gives it.
struct flag_setting {
  std::string path;
  /// As in an environment variable: lists are comma-separated, or JSON.
  std::string text;
  /// The flag, for messages.
  std::string flag;
};

/// Everything that settings come from, later ones winning over earlier.
struct configuration_sources {
  std::optional<std::string> file;
  troupe::environment environment;
  std::vector<flag_setting> flags;
};

/// Checked settings, and where each comes from.
struct loaded_configuration {
  configuration values;
  /// By path. What is not here has its default.
  std::map<std::string, origin, std::less<>> origins;
  /// What an operator should know, but what stops nothing.
  std::vector<std::string> warnings;
};

/// What every node has that was told nothing.
configuration default_configuration();

/// Reads all sources, checks everything, and computes what depends on the host
/// (`node.name`, `node.advertisedAddress`). All problems are found in one go.
std::variant<loaded_configuration, config_problems>
load_configuration(const configuration_sources& sources);

/// Settings that all nodes of a cluster must share, by path.
std::map<std::string, std::string> shared_settings(const configuration& config);

} // namespace troupe

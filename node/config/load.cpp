#include "node/config/load.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include <unistd.h>

#include "node/config/bind.hpp"
#include "node/config/checks.hpp"
#include "node/config/options.hpp"

namespace troupe {

namespace {

std::string host_name() {
  char buffer[256] = {};
  if (gethostname(buffer, sizeof buffer - 1) != 0)
    return "localhost";
  return buffer;
}

bool is_wildcard(const std::string& address) {
  return address == "0.0.0.0" || address == "::";
}

/// Kubernetes sets variables for each service of a namespace: a service named
/// `troupe-cluster` brings TROUPE_CLUSTER_PORT=tcp://10.0.0.1:3007.
bool is_service_link(const std::string& value) {
  return value.starts_with("tcp://") || value.starts_with("udp://");
}

/// Puts one source after another over the defaults.
class loader {
public:
  loader() : paths_(paths_of(all_options())) {
    result_.values = default_configuration();
  }

  void read_file(const std::string& name) {
    origin from{config_source::file, name};
    errno = 0;
    std::ifstream stream{name, std::ios::binary};
    std::stringstream text;
    // Reading a folder fails only here.
    if (!stream || !(text << stream.rdbuf())) {
      auto why = errno == 0 ? "it is empty" : std::strerror(errno);
      problems_.push_back({from, "", fmt::format("can't be read: {}", why)});
      return;
    }
    auto parsed = parse_json(text.view());
    if (auto error = std::get_if<syntax_error>(&parsed)) {
      from.name = fmt::format("{}:{}:{}", name, error->line, error->column);
      problems_.push_back({from, "", error->what});
      return;
    }
    auto& root = std::get<config_value>(parsed);
    from.line = root.line;
    reading in{from, "", problems_};
    walk_object(root, paths_, in,
                [this](std::size_t i, const config_value& value, reading& at) {
                  assign(all_options()[i], value, at);
                });
  }

  void read_environment(const environment& variables) {
    for (auto& option : all_options()) {
      // The derived name wins: it can't be meant for another program.
      read_variable(variables, std::string{option.traits.variable}, option);
      read_variable(variables, variable_name(option.path), option);
    }
    warn_about_unknown(variables);
  }

  void read_flag(const flag_setting& given) {
    origin from{config_source::flag, given.flag};
    reading in{from, given.path, problems_};
    if (auto option = find_option(given.path))
      assign(*option, parse_text(option->kind, given.text), in);
    else
      in.reject("unknown option" + suggestion(given.path, paths_));
  }

  std::variant<loaded_configuration, config_problems> finish() {
    for (auto& check : all_cross_checks())
      run(check);
    if (!problems_.empty())
      return std::move(problems_);
    warn_about_reserved();
    warn_about_algorithm();
    compute_names();
    apply_profile();
    return std::move(result_);
  }

private:
  void assign(const option& what, const config_value& value, reading& in) {
    if (what.assign(result_.values, value, in))
      result_.origins.insert_or_assign(std::string{what.path}, in.from());
    else
      wrong_.insert(what.path);
  }

  void read_variable(const environment& variables, const std::string& name,
                     const option& what) {
    auto found = variables.find(name);
    // Compose files and shells pass what is not set as an empty text.
    if (found == variables.end() || found->second.empty())
      return;
    if (is_service_link(found->second)) {
      result_.warnings.push_back(fmt::format(
        "environment {}: a Kubernetes service link, ignored", name));
      return;
    }
    reading in{
      {config_source::environment, name}, std::string{what.path}, problems_};
    assign(what, parse_text(what.kind, found->second), in);
  }

  /// A misspelt variable is no error: others put variables of our prefix
  /// there, Kubernetes for one.
  void warn_about_unknown(const environment& variables) {
    std::vector<std::string> names{"TROUPE_CONFIG"};
    for (auto path : paths_)
      names.push_back(variable_name(path));
    std::vector<std::string_view> views{names.begin(), names.end()};
    for (auto& [name, value] : variables)
      if (name.starts_with("TROUPE_") && !is_service_link(value)
          && std::find(names.begin(), names.end(), name) == names.end())
        result_.warnings.push_back(fmt::format("environment {}: no such "
                                               "option{}",
                                               name, suggestion(name, views)));
  }

  void warn_about_reserved() {
    std::vector<std::string_view> set;
    for (auto& option : all_options())
      if (option.traits.reserved && result_.origins.contains(option.path))
        set.push_back(option.path);
    if (!set.empty())
      result_.warnings.push_back(fmt::format(
        "without effect in this version: {}", fmt::join(set, ", ")));
  }

  void warn_about_algorithm() {
    std::string_view asked = result_.values.load_balancer.algorithm;
    if (auto used = algorithm_in_effect(asked); used != asked)
      result_.warnings.push_back(
        fmt::format("loadBalancer.algorithm: this version has no {}, servers "
                    "are picked by {}",
                    asked, used));
  }

  void run(const cross_check& check) {
    auto is_wrong = [this](auto path) { return wrong_.contains(path); };
    if (std::any_of(check.paths.begin(), check.paths.end(), is_wrong))
      return;
    auto what = check.problem(result_.values);
    if (!what)
      return;
    for (auto path : check.paths)
      if (auto i = result_.origins.find(path); i != result_.origins.end()) {
        problems_.push_back({i->second, "", std::move(*what)});
        return;
      }
    problems_.push_back({{}, "", std::move(*what)});
  }

  /// Timers of a profile, where no source gave them.
  void apply_profile() {
    auto& cluster = result_.values.cluster;
    if (cluster.profile != "wan")
      return;
    auto set = [this](std::string_view path, milliseconds& timer, int value) {
      if (!result_.origins.contains(path))
        timer = milliseconds{value};
    };
    set("cluster.heartbeatInterval", cluster.heartbeat_interval, 500);
    set("cluster.electionTimeout", cluster.election_timeout, 2'500);
    set("cluster.suspectTimeout", cluster.suspect_timeout, 5'000);
    set("cluster.downTimeout", cluster.down_timeout, 8'000);
  }

  void compute_names() {
    auto& node = result_.values.node;
    if (node.name.empty())
      node.name = host_name();
    if (node.advertised_address.empty())
      node.advertised_address =
        is_wildcard(node.address) ? host_name() : node.address;
  }

  loaded_configuration result_;
  config_problems problems_;
  std::vector<std::string_view> paths_;
  /// Options that a source gave a wrong value.
  std::set<std::string_view> wrong_;
};

} // namespace

configuration default_configuration() {
  configuration result;
  config_problems unexpected;
  for (auto& option : all_options()) {
    reading in{{}, std::string{option.path}, unexpected};
    option.assign(result, option.default_value, in);
  }
  return result;
}

std::variant<loaded_configuration, config_problems>
load_configuration(const configuration_sources& sources) {
  loader load;
  if (sources.file)
    load.read_file(*sources.file);
  load.read_environment(sources.environment);
  for (auto& flag : sources.flags)
    load.read_flag(flag);
  return load.finish();
}

std::map<std::string, std::string>
shared_settings(const configuration& config) {
  std::map<std::string, std::string> result;
  for (auto& option : all_options())
    if (option.traits.shared)
      result.emplace(option.path, to_json(option.load(config)));
  return result;
}

} // namespace troupe

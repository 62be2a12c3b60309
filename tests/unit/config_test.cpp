// Options, sources and their precedence, and what is said about wrong ones.

#define CAF_SUITE config

#include <filesystem>
#include <fstream>
#include <set>

#include <caf/test/dsl.hpp>

#include <unistd.h>

#include "node/config/checks.hpp"
#include "node/config/load.hpp"
#include "node/config/options.hpp"
#include "node/config/show.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// A configuration file that lives as long as the test.
class temporary_file {
public:
  explicit temporary_file(std::string_view text)
    : path_(std::filesystem::temp_directory_path()
            / ("troupe-config-" + std::to_string(getpid()) + ".json")) {
    std::ofstream{path_} << text;
  }

  ~temporary_file() { std::filesystem::remove(path_); }

  std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

loaded_configuration load(const configuration_sources& sources) {
  auto result = load_configuration(sources);
  if (auto problems = std::get_if<config_problems>(&result))
    CAF_FAIL(to_string(problems->front()));
  return std::get<loaded_configuration>(std::move(result));
}

/// What is said about a wrong source, without the file's name.
std::vector<std::string> complaints(const configuration_sources& sources) {
  auto result = load_configuration(sources);
  auto problems = std::get_if<config_problems>(&result);
  if (!problems)
    return {};
  std::vector<std::string> texts;
  for (auto& problem : *problems) {
    auto text = to_string(problem);
    if (sources.file && text.starts_with(*sources.file))
      text = "FILE" + text.substr(sources.file->size());
    texts.push_back(text);
  }
  return texts;
}

std::vector<std::string> complaints_about(std::string_view file) {
  temporary_file text{file};
  return complaints({text.path(), {}, {}});
}

using texts = std::vector<std::string>;

configuration_sources with_flag(std::string path, std::string text) {
  return {{}, {}, {{std::move(path), std::move(text), "--set"}}};
}

} // namespace

CAF_TEST(every default is a valid value) {
  for (auto& option : all_options()) {
    configuration target;
    config_problems problems;
    reading in{{}, std::string{option.path}, problems};
    CAF_MESSAGE(option.path);
    CAF_CHECK(option.assign(target, option.default_value, in));
    CAF_CHECK_EQUAL(to_json(option.load(target)),
                    to_json(option.default_value));
  }
  auto config = default_configuration();
  for (auto& check : all_cross_checks())
    CAF_CHECK(!check.problem(config));
}

CAF_TEST(every option is declared once and completely) {
  std::set<std::string_view> paths;
  std::set<std::string> variables;
  std::set<std::string_view> flags;
  for (auto& option : all_options()) {
    CAF_MESSAGE(option.path);
    auto& traits = option.traits;
    CAF_CHECK(paths.insert(option.path).second);
    CAF_CHECK(variables.insert(variable_name(option.path)).second);
    if (!traits.variable.empty())
      CAF_CHECK(variables.insert(std::string{traits.variable}).second);
    if (!traits.flag.empty())
      CAF_CHECK(flags.insert(traits.flag).second);
    CAF_CHECK(option.description.ends_with('.'));
    CAF_CHECK_LESS_OR_EQUAL(traits.min, traits.max);
    auto section = option.path.substr(0, option.path.find('.'));
    auto known = all_sections();
    CAF_CHECK(std::any_of(known.begin(), known.end(),
                          [&](auto& x) { return x.name == section; }));
  }
  for (auto& check : all_cross_checks())
    for (auto path : check.paths)
      CAF_CHECK(find_option(path) != nullptr);
}

CAF_TEST(each number is refused just outside its bounds) {
  for (auto& option : all_options()) {
    auto numeric = option.kind == value_kind::integer
                   || option.kind == value_kind::duration
                   || option.kind == value_kind::seconds;
    if (!numeric)
      continue;
    CAF_MESSAGE(option.path);
    auto accepts = [&](std::int64_t number) {
      configuration target;
      config_problems problems;
      reading in{{}, std::string{option.path}, problems};
      return option.assign(target, {number}, in);
    };
    CAF_CHECK(accepts(option.traits.min));
    CAF_CHECK(accepts(option.traits.max));
    CAF_CHECK(!accepts(option.traits.min - 1));
    CAF_CHECK(!accepts(option.traits.max + 1));
  }
}

CAF_TEST(the configuration of the reference is accepted and read) {
  temporary_file file{R"({
    "cluster": { "enabled": true, "workerCount": 4, "maxRestarts": 3,
      "restartDelay": 1000, "gracefulShutdownTimeout": 30000,
      "healthCheckInterval": 30000, "autoRestart": true },
    "loadBalancer": { "algorithm": "round-robin",
      "healthCheck": { "enabled": true, "interval": 10000, "timeout": 5000,
        "path": "/health", "unhealthyThreshold": 3, "healthyThreshold": 2 },
      "ssl": { "enabled": true, "protocols": ["TLSv1.2", "TLSv1.3"] } },
    "cache": {
      "redis": { "enabled": true, "host": "localhost", "port": 6379,
        "ttl": 3600 },
      "memory": { "enabled": true, "maxSize": 10000, "ttl": 3600 } },
    "scaling": { "autoScaling": { "enabled": true, "minInstances": 2,
      "maxInstances": 10, "targetCpuPercent": 70,
      "targetMemoryPercent": 80 } } })"};
  auto read = load({file.path(), {}, {}});
  // They are the defaults too, but for the checks: ours are more frequent.
  auto defaults = load({});
  auto& health_check = defaults.values.load_balancer.health_check;
  CAF_CHECK_EQUAL(health_check.interval, 2s);
  CAF_CHECK_EQUAL(health_check.timeout, 2s);
  health_check.interval = 10s;
  health_check.timeout = 5s;
  CAF_CHECK_EQUAL(show_configuration(read, false),
                  show_configuration(defaults, false));
  CAF_CHECK_EQUAL(read.origins.size(), 28u);
  CAF_CHECK_EQUAL(read.values.cluster.restart_delay, 1s);
  CAF_CHECK_EQUAL(read.values.cache.redis.ttl, 1h);
  CAF_CHECK_EQUAL(read.values.load_balancer.ssl.protocols,
                  (texts{"TLSv1.2", "TLSv1.3"}));
}

CAF_TEST(flags win over the environment and that over the file) {
  temporary_file file{"{ \"node\": { \"apiPort\": 4001, \"name\": \"f\" },\n"
                      "  \"cluster\": { \"port\": 4002 },\n"
                      "  \"log\": { \"level\": \"debug\" } }"};
  configuration_sources sources{
    file.path(),
    {{"PORT", "5001"}, {"TROUPE_CLUSTER_PORT", "5002"}},
    {{"cluster.port", "6002", "--cluster-port"}}};
  auto config = load(sources);
  CAF_CHECK_EQUAL(config.values.node.name, "f");
  CAF_CHECK_EQUAL(config.values.node.api_port, 5001u);
  CAF_CHECK_EQUAL(config.values.cluster.port, 6002u);
  CAF_CHECK(config.values.log.level == log_level::debug);
  CAF_CHECK_EQUAL(config.values.proxy.port, 8080u);
  CAF_CHECK_EQUAL(to_string(config.origins.at("node.name")),
                  file.path() + ":1");
  CAF_CHECK_EQUAL(to_string(config.origins.at("log.level")),
                  file.path() + ":3");
  CAF_CHECK_EQUAL(to_string(config.origins.at("node.apiPort")),
                  "environment PORT");
  CAF_CHECK_EQUAL(to_string(config.origins.at("cluster.port")),
                  "flag --cluster-port");
  CAF_CHECK(!config.origins.contains("proxy.port"));
}

CAF_TEST(every option has a variable) {
  CAF_CHECK_EQUAL(variable_name("cluster.expectedNodes"),
                  "TROUPE_CLUSTER_EXPECTED_NODES");
  CAF_CHECK_EQUAL(variable_name("loadBalancer.healthCheck.path"),
                  "TROUPE_LOAD_BALANCER_HEALTH_CHECK_PATH");
  for (auto& option : all_options()) {
    if (option.path.starts_with("discovery.dns.name"))
      continue;
    auto value = option.default_value;
    auto text = std::get_if<std::string>(&value.data);
    configuration_sources sources;
    auto name = variable_name(option.path);
    sources.environment[name] = text ? *text : to_json(value);
    CAF_MESSAGE(option.path);
    // An empty variable counts as not set.
    CAF_CHECK_EQUAL(load(sources).origins.contains(option.path),
                    !text || !text->empty());
  }
}

CAF_TEST(the variables of the reference are understood) {
  auto config = load({{},
                      {{"PORT", "4000"},
                       {"NODE_ENV", "staging"},
                       {"LOG_LEVEL", "trace"},
                       {"REDIS_HOST", "redis"},
                       {"REDIS_PORT", "6390"},
                       {"REDIS_PASSWORD", "geheim"},
                       {"JWT_SECRET", "noch geheimer"},
                       {"CORS_ORIGIN", "https://example.com"},
                       {"PROMETHEUS_ENABLED", "false"},
                       {"PROMETHEUS_PORT", "9091"}},
                      {}})
                  .values;
  CAF_CHECK_EQUAL(config.node.api_port, 4000u);
  CAF_CHECK_EQUAL(config.node.environment, "staging");
  CAF_CHECK(config.log.level == log_level::trace);
  CAF_CHECK_EQUAL(config.cache.redis.host, "redis");
  CAF_CHECK_EQUAL(config.cache.redis.port, 6390u);
  CAF_CHECK_EQUAL(config.cache.redis.password, "geheim");
  CAF_CHECK_EQUAL(config.auth.jwt_secret, "noch geheimer");
  CAF_CHECK_EQUAL(config.node.cors_origin, "https://example.com");
  CAF_CHECK_EQUAL(config.monitoring.prometheus.enabled, false);
  CAF_CHECK_EQUAL(config.monitoring.prometheus.port, 9091u);
}

CAF_TEST(the derived variable wins over the short one) {
  auto config = load({{}, {{"PORT", "1"}, {"TROUPE_NODE_API_PORT", "2"}}, {}});
  CAF_CHECK_EQUAL(config.values.node.api_port, 2u);
}

CAF_TEST(lists come as commas or as JSON) {
  auto by_commas =
    load(with_flag("discovery.nodes", "10.0.0.1:1, [::1]:2,node-3:3")).values;
  auto by_json =
    load(
      {{},
       {{"TROUPE_DISCOVERY_NODES", R"(["10.0.0.1:1", "[::1]:2", "node-3:3"])"}},
       {}})
      .values;
  std::vector<endpoint> expected = {{"10.0.0.1", 1}, {"::1", 2}, {"node-3", 3}};
  CAF_CHECK(by_commas.discovery.nodes == expected);
  CAF_CHECK(by_json.discovery.nodes == expected);
  auto routes = load(with_flag("proxy.routes",
                               R"([{"host": "a.example", "service": "a"},
                                   {"path": "/b", "service": "b"}])"))
                  .values.proxy.routes;
  CAF_REQUIRE_EQUAL(routes.size(), 2u);
  CAF_CHECK_EQUAL(routes[0].host, "a.example");
  CAF_CHECK_EQUAL(routes[0].path, "/");
  CAF_CHECK_EQUAL(routes[1].host, "");
  CAF_CHECK_EQUAL(routes[1].path, "/b");
  CAF_CHECK_EQUAL(routes[1].service, "b");
}

CAF_TEST(all that is wrong in a file is said at once) {
  CAF_CHECK_EQUAL(
    complaints_about("{ \"cluster\": {\n"
                     "    \"expectedNode\": 3,\n"
                     "    \"port\": 70000,\n"
                     "    \"heartbeatInterval\": \"50\",\n"
                     "    \"enabled\": null },\n"
                     "  \"port\": 12, \"cache\": 5,\n"
                     "  \"log\": { \"level\": { \"console\": \"info\" } },\n"
                     "  \"discovery\": { \"nodes\": [ \"10.0.0.1:3007\",\n"
                     "    \"nowhere\" ] },\n"
                     "  \"node\": { \"apiPort\": 3006.5 } }"),
    (texts{
      ("FILE:2: cluster.expectedNode: unknown key, did you mean "
       "\"cluster.expectedNodes\"?"),
      "FILE:3: cluster.port: is 70000, must be a whole number from 1 to 65535",
      ("FILE:4: cluster.heartbeatInterval: is \"50\", must be a duration in ms "
       "from 10 to 10000"),
      "FILE:5: cluster.enabled: is null, must be true or false",
      "FILE:6: port: unknown key, did you mean \"cluster.port\"?",
      "FILE:6: cache: is 5, must be an object",
      ("FILE:7: log.level: is an object, must be one of error, warn, info, "
       "debug, trace"),
      ("FILE:9: discovery.nodes[1]: is \"nowhere\", must be host:port, as "
       "10.0.0.5:3007, node-2:3007 or [::1]:3007"),
      ("FILE:10: node.apiPort: is 3006.5, must be a whole number from 1 to "
       "65535"),
    }));
}

CAF_TEST(routes are checked field by field) {
  CAF_CHECK_EQUAL(
    complaints_about("{ \"proxy\": { \"routes\": [\n"
                     "  { \"host\": \"a b\", \"service\": \"x\" },\n"
                     "  { \"path\": \"api\", \"servise\": \"y\" },\n"
                     "  7 ] } }"),
    (texts{
      ("FILE:2: proxy.routes[0].host: is \"a b\", must be empty, an IP address "
       "or a DNS name"),
      ("FILE:3: proxy.routes[1].path: is \"api\", must be a path that begins "
       "with /"),
      ("FILE:3: proxy.routes[1].servise: unknown key, did you mean "
       "\"service\"?"),
      "FILE:3: proxy.routes[1]: \"service\" is missing",
      "FILE:4: proxy.routes[2]: is 7, must be an object",
    }));
}

CAF_TEST(a file that is no JSON object or is unreadable) {
  auto malformed = complaints_about("{\n \"a\": 1,\n \"b\" 2 }");
  CAF_REQUIRE_EQUAL(malformed.size(), 1u);
  CAF_CHECK(malformed[0].starts_with("FILE:3:7: syntax error"));
  CAF_CHECK_EQUAL(complaints_about("[]"),
                  (texts{"FILE:1: is a list, must be an object"}));
  CAF_CHECK_EQUAL(complaints_about(""), (texts{"FILE: can't be read: it is "
                                               "empty"}));
  CAF_CHECK_EQUAL(complaints({"/nonexistent/troupe.json", {}, {}}),
                  (texts{"FILE: can't be read: No such file or directory"}));
  CAF_CHECK_EQUAL(complaints({"/", {}, {}}),
                  (texts{"FILE: can't be read: Is a directory"}));
}

CAF_TEST(wrong variables and flags name themselves) {
  CAF_CHECK_EQUAL(complaints({{}, {{"PORT", "http"}}, {}}),
                  (texts{"environment PORT: node.apiPort: is \"http\", must be "
                         "a whole number from 1 to 65535"}));
  CAF_CHECK_EQUAL(complaints(with_flag("cluster.insecure", "maybe")),
                  (texts{"flag --set: cluster.insecure: is \"maybe\", must be "
                         "true or false"}));
  CAF_CHECK_EQUAL(complaints(with_flag("cluster.nam", "x")),
                  (texts{"flag --set: cluster.nam: unknown option, did you "
                         "mean \"cluster.name\"?"}));
  CAF_CHECK_EQUAL(complaints(with_flag("proxy.routes", "[{")),
                  (texts{"flag --set: proxy.routes: is \"[{\", must be a list "
                         "of objects"}));
}

CAF_TEST(foreign variables are warned about or ignored) {
  auto config = load({{},
                      {{"TROUPE_CLUSTER_EXPECTED_NODE", "3"},
                       {"TROUPE_CLUSTER_PORT", "tcp://10.0.0.1:3007"},
                       {"TROUPE_PORT_3006_TCP", "tcp://10.0.0.1:3006"},
                       {"TROUPE_CONFIG", "x.json"},
                       {"REDIS_PORT", "tcp://10.0.0.2:6379"},
                       {"HOME", "/root"}},
                      {}});
  CAF_CHECK_EQUAL(config.values.cluster.port, 3007u);
  CAF_CHECK_EQUAL(config.values.cache.redis.port, 6379u);
  CAF_CHECK_EQUAL(
    config.warnings,
    (texts{
      "environment TROUPE_CLUSTER_PORT: a Kubernetes service link, ignored",
      "environment REDIS_PORT: a Kubernetes service link, ignored",
      ("environment TROUPE_CLUSTER_EXPECTED_NODE: no such option, did you mean "
       "\"TROUPE_CLUSTER_EXPECTED_NODES\"?"),
    }));
}

CAF_TEST(what has no effect yet is said) {
  auto config = load(with_flag("auth.jwtSecret", "secret"));
  CAF_CHECK_EQUAL(config.warnings,
                  (texts{"without effect in this version: auth.jwtSecret"}));
}

CAF_TEST(TLS needs all three files and reads them) {
  CAF_CHECK_EQUAL(complaints(with_flag("tls.key", "node.key")),
                  (texts{"flag --set: TLS needs three files, missing: "
                         "tls.certificate tls.authority"}));
  auto all = with_flag("tls.certificate", "/nowhere/node.pem");
  all.flags.push_back({"tls.key", "/nowhere/node.key", "--set"});
  all.flags.push_back({"tls.authority", "/nowhere/ca.pem", "--set"});
  CAF_CHECK_EQUAL(complaints(all),
                  (texts{"flag --set: tls.certificate: can't read "
                         "/nowhere/node.pem: No such file or directory"}));
}

CAF_TEST(an open cluster port has to be wanted) {
  auto open = with_flag("node.address", "0.0.0.0");
  auto found = complaints(open);
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(found[0].starts_with("flag --set: node.address is 0.0.0.0: "));
  CAF_CHECK_NOT_EQUAL(found[0].find("--insecure-cluster"), std::string::npos);
  open.flags.push_back({"cluster.insecure", "true", "--insecure-cluster"});
  CAF_CHECK_EQUAL(complaints(open), texts{});
  for (auto loopback : {"127.0.0.1", "127.0.0.3", "::1"})
    CAF_CHECK_EQUAL(complaints(with_flag("node.address", loopback)), texts{});
  for (auto reachable : {"10.0.0.1", "::", "128.0.0.1", "fe80::1"})
    CAF_CHECK_EQUAL(complaints(with_flag("node.address", reachable)).size(),
                    1u);
}

CAF_TEST(options that contradict each other) {
  auto only = [](const configuration_sources& sources) {
    auto found = complaints(sources);
    CAF_CHECK_EQUAL(found.size(), 1u);
    return found.empty() ? "" : found[0];
  };
  CAF_CHECK_EQUAL(only(with_flag("cluster.heartbeatInterval", "101")),
                  "flag --set: cluster.electionTimeout is 300 ms, must be at "
                  "least three times cluster.heartbeatInterval (303 ms)");
  CAF_CHECK_EQUAL(only(with_flag("cluster.suspectTimeout", "224")),
                  "flag --set: cluster.suspectTimeout is 224 ms, must be at "
                  "least three times cluster.heartbeatInterval (225 ms)");
  CAF_CHECK_EQUAL(only(with_flag("proxy.port", "3007")),
                  "flag --set: cluster.port and proxy.port are both 3007, must "
                  "differ");
  CAF_CHECK_EQUAL(only(with_flag("loadBalancer.healthCheck.timeout", "2001")),
                  "flag --set: loadBalancer.healthCheck.timeout is 2001 ms, "
                  "must be at most loadBalancer.healthCheck.interval (2000 "
                  "ms)");
  auto small_cache = with_flag("cache.memory.maxBytes", "4194304");
  small_cache.flags.push_back({"node.ioThreads", "4", "--set"});
  CAF_CHECK_EQUAL(only(small_cache),
                  "flag --set: cache.memory.maxBytes is 4194304, must be at "
                  "least 4457472: room for one entry of "
                  "cache.memory.maxKeySize and cache.memory.maxValueSize on "
                  "each of 4 io threads");
  CAF_CHECK_EQUAL(only(with_flag("scaling.autoScaling.minInstances", "11")),
                  "flag --set: scaling.autoScaling.minInstances is 11, must be "
                  "at most scaling.autoScaling.maxInstances (10)");
  CAF_CHECK_EQUAL(only(with_flag("discovery.redis.interval", "7501")),
                  "flag --set: discovery.redis.ttl is 15 s, must be at least "
                  "twice discovery.redis.interval (15002 ms)");
  auto alone = with_flag("cluster.expectedNodes", "3");
  CAF_CHECK(only(alone).starts_with("flag --set: cluster.expectedNodes is 3, "
                                    "but there is no way to find the others"));
  alone.flags.push_back({"discovery.nodes", "b:1,c:1", "--join"});
  CAF_CHECK_EQUAL(complaints(alone), texts{});
  alone.flags.push_back({"cluster.enabled", "false", "--set"});
  CAF_CHECK_EQUAL(only(alone),
                  "flag --set: cluster.expectedNodes is 3, must be 1 when "
                  "cluster.enabled is false");
}

CAF_TEST(each peer source is a way to find the others) {
  for (auto path : {"discovery.dns.name", "discovery.srv.name",
                    "discovery.file.path", "discovery.redis.host"}) {
    auto sources = with_flag("cluster.expectedNodes", "3");
    sources.flags.push_back({path, "peers.example.org", "--set"});
    CAF_CHECK_EQUAL(complaints(sources), texts{});
  }
}

CAF_TEST(ports of what is disabled may be the same) {
  auto sources = with_flag("proxy.port", "3007");
  sources.flags.push_back({"proxy.enabled", "false", "--set"});
  CAF_CHECK_EQUAL(complaints(sources), texts{});
}

CAF_TEST(a contradiction with a wrong value is not said twice) {
  auto sources = with_flag("cluster.electionTimeout", "1");
  CAF_CHECK_EQUAL(complaints(sources).size(), 1u);
}

CAF_TEST(names that depend on the host are computed) {
  auto config = load({}).values;
  CAF_CHECK(!config.node.name.empty());
  CAF_CHECK_EQUAL(config.node.advertised_address, "127.0.0.1");
  CAF_CHECK_GREATER(io_thread_count(config.node), 0u);
  auto open = with_flag("node.address", "0.0.0.0");
  open.flags.push_back({"cluster.insecure", "1", "--insecure-cluster"});
  config = load(open).values;
  CAF_CHECK_EQUAL(config.node.advertised_address, config.node.name);
  open.flags.push_back({"node.advertisedAddress", "node-1.example", "--set"});
  open.flags.push_back({"node.ioThreads", "7", "--set"});
  config = load(open).values;
  CAF_CHECK_EQUAL(config.node.advertised_address, "node-1.example");
  CAF_CHECK_EQUAL(io_thread_count(config.node), 7u);
}

CAF_TEST(shared settings are listed by path) {
  auto shared = shared_settings(load({}).values);
  std::map<std::string, std::string> expected = {
    {"cluster.downTimeout", "1500"},
    {"cluster.electionTimeout", "300"},
    {"cluster.heartbeatInterval", "75"}};
  CAF_CHECK(shared == expected);
}

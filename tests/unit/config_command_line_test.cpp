// The command line, and what `config show` and `config doc` print.

#define CAF_SUITE config_command_line

#include <filesystem>
#include <fstream>
#include <sstream>

#include <caf/test/dsl.hpp>

#include <unistd.h>

#include "node/command_line.hpp"
#include "node/config/show.hpp"

using namespace troupe;

namespace {

parsed_command parse(std::vector<const char*> arguments,
                     const environment& variables = {}) {
  arguments.insert(arguments.begin(), "troupe");
  return parse_command_line(static_cast<int>(arguments.size()),
                            arguments.data(), variables);
}

template <class Command>
Command parse_as(std::vector<const char*> arguments,
                 const environment& variables = {}) {
  auto result = parse(std::move(arguments), variables);
  if (auto found = std::get_if<Command>(&result))
    return *found;
  if (auto printed = std::get_if<print_command>(&result))
    CAF_FAIL(printed->standard_error + printed->standard_output);
  CAF_FAIL("another command");
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

} // namespace

CAF_TEST(serve takes its named flags) {
  auto config = parse_as<serve_command>({"serve",
                                         "--name",
                                         "a",
                                         "--data",
                                         "/d",
                                         "--logs",
                                         "/l",
                                         "--address",
                                         "10.0.0.1",
                                         "--advertise",
                                         "a.example",
                                         "--api-port",
                                         "1",
                                         "--cluster-port",
                                         "2",
                                         "--proxy-port",
                                         "3",
                                         "--resp-port",
                                         "4",
                                         "--expected-nodes",
                                         "3",
                                         "--join",
                                         "b:5",
                                         "--join",
                                         "c:6",
                                         "--insecure-cluster",
                                         "--log-level",
                                         "debug",
                                         "--cluster-name",
                                         "blue",
                                         "--default-service",
                                         "shop",
                                         "--set",
                                         "cache.memory.maxSize=7",
                                         "--set",
                                         "cluster.autoRestart=false"})
                  .config.values;
  CAF_CHECK_EQUAL(config.node.name, "a");
  CAF_CHECK_EQUAL(config.node.data_directory, "/d");
  CAF_CHECK_EQUAL(config.node.log_directory, "/l");
  CAF_CHECK_EQUAL(config.node.address, "10.0.0.1");
  CAF_CHECK_EQUAL(config.node.advertised_address, "a.example");
  CAF_CHECK_EQUAL(config.node.api_port, 1u);
  CAF_CHECK_EQUAL(config.cluster.port, 2u);
  CAF_CHECK_EQUAL(config.proxy.port, 3u);
  CAF_CHECK_EQUAL(config.resp.port, 4u);
  CAF_CHECK_EQUAL(config.cluster.expected_nodes, 3u);
  CAF_CHECK_EQUAL(config.cluster.insecure, true);
  CAF_CHECK_EQUAL(config.cluster.name, "blue");
  CAF_CHECK_EQUAL(config.cluster.auto_restart, false);
  CAF_CHECK_EQUAL(config.proxy.default_service, "shop");
  CAF_CHECK_EQUAL(config.cache.memory.max_size, 7u);
  CAF_CHECK(config.log.level == log_level::debug);
  std::vector<endpoint> peers = {{"b", 5}, {"c", 6}};
  CAF_CHECK(config.discovery.nodes == peers);
}

CAF_TEST(the file is named by a flag or a variable) {
  auto path = std::filesystem::temp_directory_path()
              / ("troupe-cli-" + std::to_string(getpid()) + ".json");
  std::ofstream{path} << R"({ "node": { "name": "from-file" } })";
  auto by_flag = parse_as<serve_command>({"serve", "--config", path.c_str()},
                                         {{"TROUPE_CONFIG", "/nonexistent"}});
  auto by_variable =
    parse_as<serve_command>({"serve"}, {{"TROUPE_CONFIG", path.string()}});
  CAF_CHECK_EQUAL(by_flag.config.values.node.name, "from-file");
  CAF_CHECK_EQUAL(by_variable.config.values.node.name, "from-file");
  std::filesystem::remove(path);
}

CAF_TEST(a wrong configuration exits with 2 and says all) {
  for (auto command : {"serve", "check", "show"}) {
    std::vector<const char*> arguments = {command, "--api-port", "70000",
                                          "--set", "log.levl=info"};
    if (command != std::string_view{"serve"})
      arguments.insert(arguments.begin(), "config");
    auto printed = parse_as<print_command>(arguments);
    CAF_CHECK_EQUAL(printed.exit_code, 2);
    CAF_CHECK_EQUAL(printed.standard_output, "");
    CAF_CHECK_EQUAL(printed.standard_error,
                    "troupe: the configuration is wrong:\n"
                    "  flag --api-port: node.apiPort: is 70000, must be a "
                    "whole number from 1 to 65535\n"
                    "  flag --set: log.levl: unknown option, did you mean "
                    "\"log.level\"?\n");
  }
}

CAF_TEST(wrong usage exits with 2) {
  std::vector<std::vector<const char*>> wrong = {
    {},
    {"bogus"},
    {"config"},
    {"config", "bogus"},
    {"serve", "--bogus"},
    {"serve", "extra"},
    {"serve", "--name"},
    {"serve", "--name", "a", "--name", "b"},
    {"serve", "--set", "no-equals-sign"},
    {"demo-backend"},
    {"demo-backend", "--port", "0"},
    {"demo-backend", "--port", "65536"},
    {"demo-backend", "--port", "x"},
    {"demo-backend", "--port", "1", "--host", "a b"},
  };
  for (auto& arguments : wrong) {
    auto printed = parse_as<print_command>(arguments);
    CAF_CHECK_EQUAL(printed.exit_code, 2);
    CAF_CHECK_EQUAL(printed.standard_output, "");
    CAF_CHECK(!printed.standard_error.empty());
  }
}

CAF_TEST(help and version exit with 0) {
  auto help = parse_as<print_command>({"--help"});
  CAF_CHECK_EQUAL(help.exit_code, 0);
  CAF_CHECK(contains(help.standard_output, "demo-backend"));
  help = parse_as<print_command>({"serve", "--help"});
  CAF_CHECK_EQUAL(help.exit_code, 0);
  CAF_CHECK(contains(help.standard_output, "--insecure-cluster"));
  auto version = parse_as<print_command>({"version"});
  CAF_CHECK_EQUAL(version.exit_code, 0);
  CAF_CHECK_EQUAL(version.standard_output, "troupe 0.1.0 (protocol 1)\n");
}

CAF_TEST(version is a flag and help is a command too) {
  auto version = parse_as<print_command>({"--version"});
  CAF_CHECK_EQUAL(version.exit_code, 0);
  CAF_CHECK_EQUAL(version.standard_output, "troupe 0.1.0 (protocol 1)\n");
  for (std::vector<const char*> command :
       {std::vector<const char*>{}, {"serve"}, {"config", "show"}}) {
    auto asked = command;
    asked.insert(asked.begin(), "help");
    command.push_back("--help");
    auto expected = parse_as<print_command>(command);
    auto help = parse_as<print_command>(asked);
    CAF_CHECK_EQUAL(help.exit_code, 0);
    CAF_CHECK_EQUAL(help.standard_output, expected.standard_output);
  }
}

CAF_TEST(help has defaults and examples) {
  auto help = parse_as<print_command>({"help", "serve"}).standard_output;
  CAF_CHECK(contains(help, "Port of the REST API. Default: 3006\n"));
  CAF_CHECK(contains(help,
                     "Default: node.address, or the host's name when that "
                     "is a wildcard\n"));
  CAF_CHECK(contains(help, "  troupe serve --config troupe.json\n"));
  for (std::vector<const char*> command : {std::vector<const char*>{"serve"},
                                           {"config", "check"},
                                           {"config", "show"},
                                           {"recover"},
                                           {"demo-backend"},
                                           {"certs", "ca"},
                                           {"certs", "node"}}) {
    command.insert(command.begin(), "help");
    CAF_CHECK(
      contains(parse_as<print_command>(command).standard_output, "Example"));
  }
}

CAF_TEST(a mistyped word is answered with the nearest right one) {
  struct {
    std::vector<const char*> words;
    std::string answer;
  } cases[] = {
    {{"versoin"},
     "troupe: unknown command \"versoin\", did you mean \"version\"?\n"},
    {{"config", "chek"},
     "troupe config: unknown command \"chek\", did you mean \"check\"?\n"},
    {{"xyzzy"}, "troupe: unknown command \"xyzzy\"\n"},
    {{"serve", "--nmae", "x"},
     "troupe serve: unknown flag \"--nmae\", did you mean \"--name\"?\n"},
    {{"serve", "--api-prot=1"},
     "troupe serve: unknown flag \"--api-prot\", did you mean "
     "\"--api-port\"?\n"},
    {{"--verison"},
     "troupe: unknown flag \"--verison\", did you mean \"--version\"?\n"},
    {{"serve", "extra"}, "troupe serve: unexpected argument \"extra\"\n"},
    {{"demo-backend"}, "troupe demo-backend: --port is required\n"},
  };
  for (auto& x : cases) {
    auto printed = parse_as<print_command>(x.words);
    CAF_CHECK_EQUAL(printed.exit_code, 2);
    auto first_line =
      printed.standard_error.substr(0, printed.standard_error.find('\n') + 1);
    CAF_CHECK_EQUAL(first_line, x.answer);
    CAF_CHECK(
      contains(printed.standard_error, " --help` says how it is used."));
  }
}

CAF_TEST(facts are printed for programs too) {
  auto output = [](std::vector<const char*> words) {
    return parse_as<print_command>(std::move(words)).standard_output;
  };
  CAF_CHECK_EQUAL(output({"version", "--json"}),
                  "{\"protocol\":1,\"version\":\"0.1.0\"}\n");
  auto checked = output({"config", "check", "--json", "--set",
                         "cluster.heartbeatInterval=100", "--set",
                         "cluster.electionTimeout=1000"});
  CAF_CHECK(contains(checked, "\"leastFailoverMs\":900,"));
  CAF_CHECK(contains(checked, "\"mostFailoverMs\":1600,"));
  CAF_CHECK(contains(checked, "\"valid\":true,\"warnings\":[]"));
  CAF_CHECK_EQUAL(
    output({"config", "check", "--json", "--api-port", "0"}),
    "{\"problems\":[\"flag --api-port: node.apiPort: is 0, must be "
    "a whole number from 1 to 65535\"],\"valid\":false}\n");
  CAF_CHECK(contains(
    output({"config", "show", "--origins", "--json", "--api-port", "81"}),
    "\"node.apiPort\":{\"origin\":\"flag --api-port\",\"value\":81}"));
}

CAF_TEST(a demo backend has a port and maybe more) {
  auto plain = parse_as<demo_backend_command>({"demo-backend", "--port", "9"});
  CAF_CHECK_EQUAL(plain.host, "127.0.0.1");
  CAF_CHECK_EQUAL(plain.port, 9u);
  CAF_CHECK_EQUAL(plain.name, "demo-9");
  auto full = parse_as<demo_backend_command>(
    {"demo-backend", "--port", "9", "--host", "0.0.0.0", "--name", "x"});
  CAF_CHECK_EQUAL(full.host, "0.0.0.0");
  CAF_CHECK_EQUAL(full.name, "x");
}

CAF_TEST(secrets are never printed) {
  environment variables = {{"REDIS_PASSWORD", "hunter2"},
                           {"JWT_SECRET", "hunter3"}};
  auto shown =
    parse_as<print_command>({"config", "show", "--origins"}, variables);
  CAF_CHECK_EQUAL(shown.exit_code, 0);
  CAF_CHECK(!contains(shown.standard_output, "hunter"));
  CAF_CHECK(contains(shown.standard_output,
                     "\"password\": \"********\", // environment "
                     "REDIS_PASSWORD"));
  CAF_CHECK(contains(shown.standard_output,
                     "\"jwtSecret\": \"********\" // environment JWT_SECRET"));
  auto unset = parse_as<print_command>({"config", "show"});
  CAF_CHECK(contains(unset.standard_output, "\"password\": \"\""));
  // Not when they are wrong either.
  auto path = std::filesystem::temp_directory_path()
              / ("troupe-secret-" + std::to_string(getpid()) + ".json");
  std::ofstream{path} << R"({ "auth": { "jwtSecret": 4711 } })";
  auto refused =
    parse_as<print_command>({"config", "check", "--config", path.c_str()});
  CAF_CHECK(contains(refused.standard_error,
                     "auth.jwtSecret: is not valid, must be a string"));
  CAF_CHECK(!contains(refused.standard_error, "4711"));
  std::filesystem::remove(path);
}

CAF_TEST(what show prints is a configuration file) {
  auto shown = parse_as<print_command>(
    {"config", "show", "--origins", "--name", "a", "--join", "b:1", "--set",
     R"(proxy.routes=[{"path": "/x", "service": "y"}])"});
  auto path = std::filesystem::temp_directory_path()
              / ("troupe-shown-" + std::to_string(getpid()) + ".json");
  std::ofstream{path} << shown.standard_output;
  auto again = parse_as<serve_command>({"serve", "--config", path.c_str()});
  CAF_CHECK_EQUAL(again.config.values.node.name, "a");
  CAF_CHECK_EQUAL(again.config.values.discovery.nodes.size(), 1u);
  CAF_CHECK_EQUAL(again.config.values.proxy.routes.at(0).service, "y");
  CAF_CHECK(
    contains(shown.standard_output, "\"nodes\": [\"b:1\"], // flag --join"));
  CAF_CHECK(contains(shown.standard_output, "\"apiPort\": 3006, // default"));
  std::filesystem::remove(path);
}

CAF_TEST(the environment is read from the process) {
  const char* variables[] = {"A=1", "B=x=y", "EMPTY=", "odd", nullptr};
  environment expected = {{"A", "1"}, {"B", "x=y"}, {"EMPTY", ""}};
  CAF_CHECK(read_environment(variables) == expected);
}

CAF_TEST(the documentation is that of these options) {
  std::ifstream file{TROUPE_SOURCE_DIR "/docs/configuration.md"};
  std::ostringstream committed;
  committed << file.rdbuf();
  auto made = parse_as<print_command>({"config", "doc"}).standard_output;
  CAF_MESSAGE("if not: troupe config doc > docs/configuration.md");
  CAF_CHECK(committed.str() == made);
}

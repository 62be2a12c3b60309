#include "node/command_line.hpp"

#include <list>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "messages/text_rules.hpp"
#include "node/config/options.hpp"
#include "node/config/show.hpp"
#include "node/usage.hpp"

namespace troupe {

namespace {

/// The flags of a command that loads the configuration.
struct source_flags {
  struct named {
    const option* what;
    CLI::Option* flag;
    std::vector<std::string> texts = {};
    bool is_on = false;
  };

  std::string file;
  std::vector<std::string> assignments;
  // A list: CLI11 keeps pointers to the values.
  std::list<named> flags;

  void add_to(CLI::App& command) {
    command.add_option("--config", file, "The configuration file (JSON)")
      ->option_text("FILE");
    command
      .add_option("--set", assignments,
                  "Any option of docs/configuration.md; may be repeated")
      ->option_text("PATH=VALUE")
      ->allow_extra_args(false);
    for (auto& option : all_options())
      if (!option.traits.flag.empty())
        add_named(command, option);
  }

  /// The file, or what `TROUPE_CONFIG` names, and the flags that were given.
  configuration_sources sources(const environment& variables) const {
    configuration_sources result{{}, variables, {}};
    if (!file.empty())
      result.file = file;
    else if (auto i = variables.find("TROUPE_CONFIG");
             i != variables.end() && !i->second.empty())
      result.file = i->second;
    for (auto& x : flags)
      if (x.flag->count() > 0)
        result.flags.push_back({std::string{x.what->path}, text_of(x),
                                std::string{x.what->traits.flag}});
    for (auto& x : assignments) {
      auto equals = x.find('=');
      result.flags.push_back(
        {x.substr(0, equals), x.substr(equals + 1), "--set"});
    }
    return result;
  }

private:
  void add_named(CLI::App& command, const option& what) {
    auto& x = flags.emplace_back(named{&what, nullptr});
    std::string flag{what.traits.flag};
    auto description = help_text(what);
    if (what.kind == value_kind::boolean) {
      x.flag = command.add_flag(flag, x.is_on, description);
      return;
    }
    x.flag = command.add_option(flag, x.texts, description);
    x.flag->option_text(std::string{what.path})->allow_extra_args(false);
    if (what.kind != value_kind::text_list)
      x.flag->multi_option_policy(CLI::MultiOptionPolicy::Throw)->expected(1);
  }

  static std::string text_of(const named& x) {
    if (x.what->kind == value_kind::boolean)
      return x.is_on ? "true" : "false";
    return fmt::format("{}", fmt::join(x.texts, ","));
  }
};

/// Facts as a program reads them.
std::string as_json(config_object facts) {
  return to_json({std::move(facts)}) + "\n";
}

config_value texts(const std::vector<std::string>& from) {
  config_list result;
  for (auto& text : from)
    result.push_back({text});
  return {std::move(result)};
}

config_value whole(std::int64_t x) {
  return {x};
}

/// Requires `path=value` of each `--set`.
CLI::Validator has_equals_sign() {
  return {[](std::string& text) {
            return text.find('=') == text.npos
                     ? "\"" + text + "\" is not PATH=VALUE"
                     : std::string{};
          },
          "", "has_equals_sign"};
}

print_command refuse_as_json(const config_problems& problems) {
  std::vector<std::string> found;
  for (auto& problem : problems)
    found.push_back(to_string(problem));
  return {usage_error,
          as_json({{"valid", {false}}, {"problems", texts(found)}})};
}

print_command refuse(const config_problems& problems) {
  print_command result{usage_error};
  result.standard_error = "troupe: the configuration is wrong:\n";
  for (auto& problem : problems)
    result.standard_error += "  " + to_string(problem) + "\n";
  return result;
}

/// What the timers mean to those who wait for them, in milliseconds.
struct failover_times {
  explicit failover_times(const cluster_settings& from)
    : heartbeat(from.heartbeat_interval.count()),
      election(from.election_timeout.count()) {}

  std::int64_t heartbeat;
  std::int64_t election;
  // Followers stand one after another, within half an election timeout (see
  // discovery/raft/raft_core.c); the last heartbeat came up to one interval
  // ago.
  std::int64_t least = election - heartbeat;
  std::int64_t most = election * 3 / 2 + heartbeat;
};

std::string expected_failover(const configuration& settings) {
  auto& c = settings.cluster;
  if (!c.enabled)
    return {};
  failover_times times{c};
  return fmt::format("timers: {} (heartbeat {} ms, election timeout {} ms)\n"
                     "expected failover of the leader: {} to {} ms\n"
                     "a killed node is down as soon as two others find its "
                     "port closed, a silent one after {} ms\n",
                     c.profile, times.heartbeat, times.election, times.least,
                     times.most, c.down_timeout.count());
}

/// The same for a program.
config_object checked_facts(const loaded_configuration& config) {
  config_object facts = {{"valid", {true}},
                         {"warnings", texts(config.warnings)}};
  auto& c = config.values.cluster;
  if (!c.enabled)
    return facts;
  failover_times times{c};
  facts.push_back(
    {"timers",
     {config_object{{"profile", {fmt::format("{}", c.profile)}},
                    {"heartbeatMs", whole(times.heartbeat)},
                    {"electionTimeoutMs", whole(times.election)},
                    {"leastFailoverMs", whole(times.least)},
                    {"mostFailoverMs", whole(times.most)},
                    {"downTimeoutMs", whole(c.down_timeout.count())}}}});
  return facts;
}

std::string listed(const std::vector<std::string>& warnings) {
  std::string result;
  for (auto& warning : warnings)
    result += "warning: " + warning + "\n";
  return result;
}

/// Requires what `rule` says.
CLI::Validator obeys(const text_rule& rule) {
  return {[&rule](std::string& text) {
            return rule.holds(text)
                     ? std::string{}
                     : fmt::format("\"{}\" must be {}", text, rule.must_be);
          },
          "", "obeys"};
}

/// `troupe certs …`.
class certs_syntax {
public:
  explicit certs_syntax(CLI::App& app)
    : certs_(app.add_subcommand("certs", "Make certificates for the nodes")),
      authority_(certs_->add_subcommand(
        "ca", "Make the authority that signs a cluster's nodes")),
      node_(certs_->add_subcommand("node", "Make a node's certificate")) {
    authority_command_.cluster = default_configuration().cluster.name;
    authority_
      ->add_option("--cluster", authority_command_.cluster,
                   "Name of the cluster, as in cluster.name")
      ->capture_default_str()
      ->check(obeys(text_rules::name));
    node_
      ->add_option("--ca", node_command_.authority,
                   "Folder with ca.pem and ca.key")
      ->required()
      ->option_text("DIR");
    node_->add_option("--name", node_command_.name, "Name of the node")
      ->required()
      ->check(obeys(text_rules::name));
    node_
      ->add_option("--host", node_command_.hosts,
                   "Name or IP address of its host; may be repeated")
      ->allow_extra_args(false);
    add_common(*authority_, authority_command_);
    add_common(*node_, node_command_);
    authority_->footer("Example:\n"
                       "  troupe certs ca --cluster shop --out authority");
    node_->footer("Example:\n"
                  "  troupe certs node --ca authority --name node-1 "
                  "--host 10.0.0.1 --out node-1");
  }

  /// Nothing if another command was given.
  std::optional<parsed_command> parsed() const {
    if (authority_->parsed())
      return authority_command_;
    if (node_->parsed())
      return node_command_;
    if (certs_->parsed())
      return print_command{usage_error, "", certs_->help()};
    return std::nullopt;
  }

private:
  template <class Command>
  static void add_common(CLI::App& app, Command& command) {
    app.add_option("--out", command.out, "Folder for the two files")
      ->required()
      ->option_text("DIR");
    app.add_option("--days", command.days, "How long it is valid")
      ->capture_default_str()
      ->check(CLI::Range(1, 36'500));
    app.add_flag("--force", command.force, "Replace files that are there");
  }

  CLI::App* certs_;
  CLI::App* authority_;
  CLI::App* node_;
  certs_authority_command authority_command_;
  certs_node_command node_command_;
};

/// The whole syntax, as CLI11 knows it.
class syntax {
public:
  syntax() {
    flags_.add_to(*serve_);
    check_flags_.add_to(*check_);
    show_flags_.add_to(*show_);
    recover_flags_.add_to(*recover_);
    recover_->add_flag("--yes", recover_confirmed_,
                       "Do it; without, it only says what it would do");
    show_->add_flag("--origins", with_origins_,
                    "Say behind each value where it comes from");
    demo_->add_option("--port", demo_port_, "Port to listen on")
      ->required()
      ->check(CLI::Range(1, 65535));
    demo_->add_option("--host", demo_backend_.host, "Address to bind to")
      ->capture_default_str()
      ->check(CLI::ValidIPV4);
    demo_
      ->add_option("--name", demo_backend_.name,
                   "How it calls itself in its answers")
      ->default_str("demo-PORT");
    check_->add_flag("--json", as_json_, "Print it for programs");
    show_->add_flag("--json", as_json_,
                    "Print it for programs: with --origins as members, not "
                    "comments");
    version_->add_flag("--json", as_json_, "Print it for programs");
    for (auto command : {serve_, check_, show_, recover_})
      command->get_option("--set")->check(has_equals_sign());
    app_.set_version_flag("--version", version_text(),
                          "Print the version and exit");
    add_examples();
  }

  parsed_command parse(int argc, const char* const* argv,
                       const environment& variables) {
    std::vector<std::string> words{argv + 1, argv + argc};
    // `help config show` asks what `config show --help` answers.
    if (!words.empty() && words.front() == "help") {
      words.erase(words.begin());
      words.push_back("--help");
    }
    try {
      // CLI11 takes them from the end.
      app_.parse(std::vector<std::string>{words.rbegin(), words.rend()});
    } catch (const CLI::ParseError& error) {
      return explain_usage(app_, error, words);
    }
    if (app_.get_subcommands().empty())
      return print_command{usage_error, "", app_.help()};
    if (config_->parsed() && config_->get_subcommands().empty())
      return print_command{usage_error, "", config_->help()};
    if (serve_->parsed())
      return load(flags_, variables, [](loaded_configuration config) {
        return serve_command{std::move(config)};
      });
    if (check_->parsed())
      return load(check_flags_, variables, [this](loaded_configuration config) {
        if (as_json_)
          return print_command{0, as_json(checked_facts(config))};
        return print_command{
          0, "the configuration is right\n" + expected_failover(config.values),
          listed(config.warnings)};
      });
    if (show_->parsed())
      return load(show_flags_, variables, [this](loaded_configuration config) {
        auto text = with_origins_ && as_json_
                      ? show_origins(config)
                      : show_configuration(config, with_origins_);
        return print_command{0, std::move(text), listed(config.warnings)};
      });
    if (recover_->parsed())
      return load(recover_flags_, variables, [this](auto config) {
        return recover_command{std::move(config), recover_confirmed_};
      });
    if (doc_->parsed())
      return print_command{0, document_configuration()};
    if (demo_->parsed())
      return demo_backend();
    if (auto certs = certs_.parsed())
      return std::move(*certs);
    if (as_json_)
      return print_command{0,
                           as_json({{"version", {std::string{program_version}}},
                                    {"protocol", whole(protocol_version)}})};
    return print_command{0, version_text() + "\n"};
  }

private:
  static std::string version_text() {
    return fmt::format("troupe {} (protocol {})", program_version,
                       protocol_version);
  }

  void add_examples() {
    app_.footer("`troupe help COMMAND` says more of each. To look around:\n"
                "  troupe demo-backend --port 9001\n"
                "  troupe serve --default-service demo\n"
                "and docs/api.md says how to tell the node of the backend.");
    serve_->footer(
      "Examples:\n"
      "  troupe serve --config troupe.json\n"
      "  troupe serve --name node-2 --address 10.0.0.2 --expected-nodes 3 \\\n"
      "    --join 10.0.0.1:3007\n"
      "  troupe serve --set cache.memory.maxSize=268435456\n\n"
      "docs/configuration.md has all options, and says what each does.");
    check_->footer("Example:\n"
                   "  troupe config check --config troupe.json");
    show_->footer("Example:\n"
                  "  troupe config show --origins --config troupe.json");
    recover_->footer("Example:\n"
                     "  troupe recover --data /var/lib/troupe\n\n"
                     "Read docs/recovery.md first.");
    demo_->footer("Example:\n"
                  "  troupe demo-backend --port 9001 --name first");
  }

  template <class Use>
  parsed_command load(const source_flags& flags, const environment& variables,
                      Use use) const {
    auto loaded = load_configuration(flags.sources(variables));
    if (auto problems = std::get_if<config_problems>(&loaded))
      return as_json_ ? refuse_as_json(*problems) : refuse(*problems);
    return use(std::move(std::get<loaded_configuration>(loaded)));
  }

  parsed_command demo_backend() {
    demo_backend_.port = static_cast<std::uint16_t>(demo_port_);
    if (demo_backend_.name.empty())
      demo_backend_.name = fmt::format("demo-{}", demo_port_);
    return demo_backend_;
  }

  CLI::App app_{
    "Troupe keeps services running: it balances, checks, caches and "
    "agrees, on any number of nodes.",
    "troupe"};
  CLI::App* serve_ = app_.add_subcommand("serve", "Run a node");
  CLI::App* config_ = app_.add_subcommand("config", "Look at the settings");
  CLI::App* check_ =
    config_->add_subcommand("check", "Say what is wrong with the settings");
  CLI::App* show_ =
    config_->add_subcommand("show", "Print the settings in effect as JSON");
  CLI::App* doc_ =
    config_->add_subcommand("doc", "Print docs/configuration.md");
  CLI::App* recover_ = app_.add_subcommand(
    "recover", "Let a stopped node go on alone: the quorum is lost for good");
  // Only its line in --help; parse() knows it.
  CLI::App* help_ = app_.add_subcommand("help", "Say how a command is used");
  CLI::App* version_ = app_.add_subcommand("version", "Print the version");
  CLI::App* demo_ = app_.add_subcommand(
    "demo-backend", "Run a tiny HTTP server to try the proxy with");
  certs_syntax certs_{app_};
  source_flags flags_;
  source_flags check_flags_;
  source_flags show_flags_;
  source_flags recover_flags_;
  bool recover_confirmed_ = false;
  bool with_origins_ = false;
  bool as_json_ = false;
  int demo_port_ = 0;
  demo_backend_command demo_backend_{"127.0.0.1", 0, ""};
};

} // namespace

environment read_environment(const char* const* variables) {
  environment result;
  for (; *variables; ++variables) {
    std::string_view entry{*variables};
    if (auto equals = entry.find('='); equals != entry.npos)
      result.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

parsed_command parse_command_line(int argc, const char* const* argv,
                                  const environment& variables) {
  return syntax{}.parse(argc, argv, variables);
}

} // namespace troupe

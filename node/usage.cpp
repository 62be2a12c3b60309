#include "node/usage.hpp"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "node/config/bind.hpp"

namespace troupe {

namespace {

/// The innermost command that was given.
const CLI::App& given_command(const CLI::App& app) {
  auto inner = app.get_subcommands();
  return inner.empty() ? app : given_command(*inner.back());
}

/// `troupe config show`.
std::string full_name(const CLI::App& command) {
  auto parent = command.get_parent();
  return parent ? full_name(*parent) + " " + command.get_name()
                : command.get_name();
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> result;
  for (auto option : command.get_options())
    for (auto& name : option->get_lnames())
      result.push_back("--" + name);
  return result;
}

std::vector<std::string> commands_of(const CLI::App& command) {
  std::vector<std::string> result;
  for (auto inner : command.get_subcommands([](auto) { return true; }))
    result.push_back(inner->get_name());
  return result;
}

/// The first of `words` that no command took.
std::string first_unknown(const CLI::App& app,
                          const std::vector<std::string>& words) {
  auto unknown = app.remaining(true);
  auto is_unknown = [&](auto& word) {
    return std::find(unknown.begin(), unknown.end(), word) != unknown.end();
  };
  auto found = std::find_if(words.begin(), words.end(), is_unknown);
  return found == words.end() ? unknown.front() : *found;
}

std::string explain_unknown(const CLI::App& command, const std::string& word) {
  auto is_flag = word.starts_with('-');
  auto name = is_flag ? word.substr(0, word.find('=')) : word;
  auto known = is_flag ? flags_of(command) : commands_of(command);
  if (known.empty())
    return fmt::format("unexpected argument \"{}\"", word);
  std::vector<std::string_view> names{known.begin(), known.end()};
  return fmt::format("unknown {} \"{}\"{}", is_flag ? "flag" : "command", name,
                     suggestion(name, names));
}

} // namespace

print_command explain_usage(const CLI::App& app, const CLI::ParseError& error,
                            const std::vector<std::string>& words) {
  if (error.get_exit_code() == 0) {
    std::ostringstream out;
    app.exit(error, out, out);
    return {0, out.str()};
  }
  auto& command = given_command(app);
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error))
    what = explain_unknown(command, first_unknown(app, words));
  return {usage_error, "",
          fmt::format("{0}: {1}\n`{0} --help` says how it is used.\n",
                      full_name(command), what)};
}

} // namespace troupe

#pragma once

#include <string>
#include <vector>

#include "node/command_line.hpp"

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace troupe {

/// The exit code when the command line or the configuration is wrong.
inline constexpr int usage_error = 2;

/// What to print when `words` are no command of `app`: help or the version when
/// they ask for it, else what is wrong with them, with the nearest right word.
print_command explain_usage(const CLI::App& app, const CLI::ParseError& error,
                            const std::vector<std::string>& words);

} // namespace troupe

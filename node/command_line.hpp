#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "node/certs.hpp"
#include "node/config/load.hpp"
#include "node/recover.hpp"

namespace troupe {

/// `troupe serve`: run a node.
struct serve_command {
  loaded_configuration config;
};

/// `troupe demo-backend`: run a tiny HTTP server to try the proxy with.
struct demo_backend_command {
  std::string host;
  std::uint16_t port = 0;
  /// How it calls itself in its answers.
  std::string name;
};

/// Everything that is done once it is printed: help, `version`, `config …`, and
/// whatever is wrong with the command line or the configuration.
struct print_command {
  /// 2 when the usage or the configuration is wrong.
  int exit_code = 0;
  std::string standard_output = {};
  std::string standard_error = {};
};

using parsed_command =
  std::variant<serve_command, demo_backend_command, certs_authority_command,
               certs_node_command, recover_command, print_command>;

/// The process's environment variables.
environment read_environment(const char* const* variables);

/// Understands the command line, and loads and checks the configuration when
/// the command needs it.
parsed_command parse_command_line(int argc, const char* const* argv,
                                  const environment& variables);

} // namespace troupe

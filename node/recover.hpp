#pragma once

#include <string>

#include <caf/expected.hpp>

#include "node/config/load.hpp"

namespace troupe {

/// `troupe recover`: let one node go on alone when the quorum is lost for good.
struct recover_command {
  loaded_configuration config;
  /// Whether to do it; otherwise it only says what it would do.
  bool confirmed = false;
};

/// Answers what was done, or what would be, for people. Errors: those of
/// `recovery`.
caf::expected<std::string> run_recover(const recover_command& what);

} // namespace troupe

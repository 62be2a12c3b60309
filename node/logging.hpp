#pragma once

#include <filesystem>

#include <caf/error.hpp>

#include "node/config/configuration.hpp"

namespace troupe {

struct logging_config {
  log_level level = log_level::info;
  /// Made when it isn't there. Gets `combined-YYYY-MM-DD.log`, by UTC days.
  std::filesystem::path directory = "logs";
  /// Whether lines go to standard output too.
  bool console = true;
};

/// Makes spdlog's default logger write to the console and the day's file:
///
///     2026-01-31T12:00:00.000Z info [4711] cluster: node-2 is alive
///
/// Lines from `warn` up are flushed at once, others each second. Threads may
/// log at any time. Errors: storage_failed.
caf::error start_logging(const logging_config& config);

/// Flushes, and ends the thread that flushes. Lines that a late thread still
/// logs are written when the process ends.
void stop_logging();

} // namespace troupe

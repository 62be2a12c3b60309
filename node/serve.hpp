#pragma once

#include "node/config/configuration.hpp"

namespace troupe {

/// Runs a node until SIGTERM or SIGINT, then drains and leaves the cluster. On
/// SIGUSR2 it does the same and goes on as a new process with the same id,
/// which has the listening sockets from the start: clients that come meanwhile
/// wait. Returns the process's exit code: 0, or 1 after a fatal error, which
/// was logged.
int serve(const configuration& settings);

} // namespace troupe

#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <caf/error.hpp>

namespace troupe {

/// Descriptors of listening sockets by what listens there: `api`, `proxy`.
using named_sockets = std::map<std::string, std::vector<int>>;

/// What the process before this one or systemd handed over (sd_listen_fds(3)),
/// owned by the caller. For once, at the start: the variables that tell of them
/// are removed.
named_sockets received_sockets();

/// The program that goes on in this process's place, with its id and its
/// arguments: the one that is on the disk by then. Make it at the start, before
/// the file may be replaced.
class successor {
public:
  successor();

  /// Another program, with these arguments (the first is its name).
  successor(std::string program, std::vector<std::string> arguments);

  /// Whether it would take these arguments and the configuration as it is now:
  /// asks its `config check`, which prints what is wrong. Errors: unavailable,
  /// also when that says nothing within `limit`.
  caf::error check(std::chrono::milliseconds limit = std::chrono::seconds{
                     10}) const;

  /// Replaces this process, whose other threads must have ended, and hands the
  /// sockets over. Returns only if that failed. Errors: unavailable.
  caf::error take_over(const named_sockets& sockets) const;

private:
  std::string program_;
  std::vector<std::string> arguments_;
};

} // namespace troupe

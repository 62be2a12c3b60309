#pragma once

#include <optional>

#include "discovery/peer_source/peer_source.hpp"

namespace troupe {

/// Every address of every target of a name's SRV records: `discovery.srv`.
struct srv_peers_config {
  /// As `_troupe._tcp.example.org`.
  std::string name;
  /// The name server to ask for the records and their targets. Nothing: those
  /// of the system.
  std::optional<endpoint> server;
};

/// Blocks for up to 4 s, and as long as the system's resolver needs for the
/// name server's own name.
std::shared_ptr<peer_finder> find_by_srv(srv_peers_config config);

} // namespace troupe

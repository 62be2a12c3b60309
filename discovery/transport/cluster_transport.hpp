#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_system.hpp>

#include "discovery/certificates/credentials.hpp"
#include "discovery/transport/dialer.hpp"
#include "discovery/transport/gate.hpp"

namespace troupe {

struct cluster_transport_config {
  /// Nothing: nodes without certificates.
  std::optional<tls_files> tls;
  std::string cluster_name;
  gate_config gate;
  /// A session in which the peer announces a larger message ends.
  std::uint64_t max_message_bytes = 64 << 20;
};

/// How this process and the other nodes connect: one gate, and one actor that
/// hands its sessions to CAF. A process must have one transport only, and must
/// not use CAF's own `publish` and `remote_actor` beside it: CAF reuses a
/// connection for the same node whatever it was made with
/// (actor-framework#1128). Thread-safe.
class cluster_transport {
public:
  /// Errors: those of `credentials::load`.
  static caf::expected<std::unique_ptr<cluster_transport>>
  open(caf::actor_system& system, const cluster_transport_config& config);

  /// Public for `open`.
  cluster_transport(caf::actor_system& system,
                    const cluster_transport_config& config,
                    std::unique_ptr<credential_source> own);

  /// Ends the gate; established sessions stay CAF's.
  ~cluster_transport();

  cluster_transport(const cluster_transport&) = delete;
  cluster_transport& operator=(const cluster_transport&) = delete;

  /// Nodes that come in find `whom` from now on, in place of its predecessor.
  void publish(const caf::strong_actor_ptr& whom);

  /// Lets nodes in; call it once. Errors: unavailable (the port can't be
  /// bound), naming address and port.
  caf::error listen(const endpoint& where);

  /// Lets nobody in any more.
  void close();

  /// Dials through the gate.
  dialer_actor dialer() const;

private:
  caf::actor_system& system_;
  std::uint64_t max_message_bytes_;
  std::shared_ptr<gate> gate_;
  /// Hands over to CAF.
  caf::actor handover_;
};

} // namespace troupe

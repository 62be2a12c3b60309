#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/typed_actor.hpp>

#include "http/server/server_group.hpp"
#include "messages/cluster_state.hpp"
#include "messages/directory.hpp"
#include "messages/lease.hpp"
#include "messages/log_disk.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Actor-to-self: work that goes on after a delay.
struct deferred_work {
  std::function<void()> run;
};

/// Answers the REST API: finds the handler of an exchange, asks the actors and
/// answers from their replies. One per io thread, named `http_gateway/N`; it
/// holds nothing that outlives a request.
using http_gateway_actor = caf::typed_actor<
  /// Answers the exchange, sooner or later, whatever happens.
  caf::reacts_to<http_exchange_ptr>,
  caf::reacts_to<deferred_work>>::extend_with<status_protocol>;

struct gateway_config {
  /// This node.
  node_info self;
  /// Pool of servers that are added without naming one.
  std::string default_service = "default";
  /// Services to which the proxy may send requests, with or without servers.
  std::vector<std::string> routed_services;
  /// The balancing algorithm's name, for the statistics.
  std::string algorithm = "round-robin";
  /// Of cache entries that are set without one; zero: they stay.
  std::chrono::seconds default_ttl{3600};
  /// When the process started.
  unix_ms started_at = 0;
  /// How long other nodes may take to tell their figures.
  std::chrono::milliseconds gather_timeout{500};
  /// How long another node may take to answer for a key, per attempt.
  std::chrono::milliseconds cache_timeout{2000};
  /// Attempts to reach the owner of a key.
  std::uint32_t cache_attempts = 3;
  /// Pause before the second attempt; doubled each time, with jitter.
  std::chrono::milliseconds cache_backoff{30};
  /// Limits of one cache entry, as the shards have them.
  std::uint64_t max_key_bytes = 64 << 10;
  std::uint64_t max_value_bytes = 8 << 20;
  /// Hosts that requests may be for, besides addresses, names that are private
  /// (http/gateway/host_rules.hpp) and those of the members.
  std::vector<std::string> allowed_hosts = {};

  /// Errors: invalid_field.
  caf::error validate() const;
};

/// What a gateway reads besides what actors tell it.
struct gateway_sources {
  cluster_view cluster;
  directory_ptr names;
  /// The API server's counters; may be empty.
  std::function<http_totals()> http;
  /// Set when the node shuts down: `/ready` then says no.
  std::shared_ptr<const std::atomic<bool>> draining;
  /// The node's right to act on its roles: without it `/ready` says no. May be
  /// null.
  std::shared_ptr<const lease> roles;
  /// How the Raft log's disk does. May be null.
  std::shared_ptr<const log_disk> disk = nullptr;
  /// What the membership says: why this node is no member that may act. May be
  /// null.
  std::shared_ptr<const published<std::string>> obstacle = nullptr;
};

/// Its registered name.
std::string gateway_name(std::uint32_t io_thread);

/// Starts a gateway. It runs first when its first message comes, so normally on
/// its io thread. `config` was validated.
http_gateway_actor spawn_http_gateway(caf::actor_system& system,
                                      gateway_config config,
                                      gateway_sources sources,
                                      std::uint32_t io_thread);

/// Handlers of one io thread's server: each request goes to that thread's
/// gateway and is worked on at once.
server_handlers gateway_handlers(io_thread& io, const directory_ptr& names);

/// `base` with the bodies' limits that the routes have.
server_config api_server_config(server_config base,
                                const gateway_config& gateway);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::deferred_work)

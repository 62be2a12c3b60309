#pragma once

#include "actors/health_prober/health_prober.hpp"
#include "discovery/transport/cluster_transport.hpp"
#include "http/gateway/gateway.hpp"
#include "http/proxy/proxy.hpp"
#include "http/server/server.hpp"
#include "node/config/configuration.hpp"

// What the parts of a node take from its settings.

namespace troupe {

cluster_transport_config transport_part(const configuration& settings);

server_config api_limits(const configuration& settings);

/// `started_at`: Unix time of the start, in ms.
gateway_config gateway_part(const configuration& settings,
                            const node_info& self, unix_ms started_at);

proxy_config proxy_part(const configuration& settings);

health_prober_config health_prober_part(const configuration& settings,
                                        member_id self);

/// What decides the service that a node's proxy chooses: equal where two nodes
/// route alike, never 0.
std::uint64_t digest_of_routes(const configuration& settings);

} // namespace troupe

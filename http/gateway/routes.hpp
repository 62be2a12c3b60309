#pragma once

#include "http/gateway/gateway_state.hpp"

namespace troupe {

/// The whole API, the same for all gateways.
const gateway_router& api_routes();

// One function per group of routes, each in its own file.

void add_cache_routes(gateway_router& routes);
void add_catalog_routes(gateway_router& routes);
void add_cluster_routes(gateway_router& routes);
void add_health_routes(gateway_router& routes);
void add_load_balancer_routes(gateway_router& routes);
void add_metrics_route(gateway_router& routes);
void add_operations_routes(gateway_router& routes);

} // namespace troupe

troupe_suite(proxy HTTP
  unit/balancer_test.cpp
  unit/choose_test.cpp
  unit/complaints_test.cpp
  unit/health_prober_test.cpp
  unit/http_client_test.cpp
  unit/pick_test.cpp
  unit/proxy_backpressure_test.cpp
  unit/proxy_exchange_test.cpp
  unit/proxy_failure_test.cpp
  unit/proxy_flood_test.cpp
  unit/proxy_forwarder_test.cpp
  unit/proxy_pieces_test.cpp
  unit/proxy_refusal_test.cpp
  unit/proxy_refused_test.cpp
  unit/proxy_reuse_test.cpp
  unit/proxy_traffic_test.cpp
  unit/routing_test.cpp
  unit/traffic_memory_test.cpp)
target_link_libraries(test_proxy PRIVATE troupe_http troupe_actors)

troupe_suite(messages
  unit/address_test.cpp
  unit/command_codec_test.cpp
  unit/directory_test.cpp
  unit/error_test.cpp
  unit/ids_test.cpp
  unit/ip_range_test.cpp
  unit/lease_test.cpp
  unit/msgpack_test.cpp
  unit/published_test.cpp
  unit/slots_test.cpp
  unit/strays_test.cpp)

troupe_suite(cache
  unit/cache_handover_test.cpp
  unit/cache_shard_test.cpp
  unit/cache_store_test.cpp
  unit/resource_monitor_test.cpp
  unit/slots_placement_test.cpp
  unit/slots_planner_test.cpp)
target_link_libraries(test_cache PRIVATE troupe_actors troupe_discovery)

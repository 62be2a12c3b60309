troupe_suite(node
  unit/config_test.cpp
  unit/config_text_test.cpp
  unit/config_command_line_test.cpp
  unit/logging_test.cpp)
target_link_libraries(test_node PRIVATE troupe_config)
target_compile_definitions(test_node PRIVATE
  TROUPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

troupe_suite(parts HTTP
  unit/demo_backend_test.cpp
  unit/parts_test.cpp
  unit/peer_sources_test.cpp
  unit/successor_test.cpp
  unit/wiring_test.cpp)
target_link_libraries(test_parts PRIVATE troupe_node)

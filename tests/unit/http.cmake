troupe_suite(http HTTP
  fuzz/request_forwarder_oracle.cpp
  fuzz/request_parser_oracle.cpp
  fuzz/response_forwarder_oracle.cpp
  fuzz/strict_reader.cpp
  unit/fuzz_corpus_test.cpp
  unit/ask_limit_test.cpp
  unit/gateway_body_test.cpp
  unit/gateway_cache_test.cpp
  unit/gateway_cluster_test.cpp
  unit/gateway_json_test.cpp
  unit/gateway_large_body_test.cpp
  unit/gateway_refusals_test.cpp
  unit/gateway_server_test.cpp
  unit/gateway_test.cpp
  unit/gateway_text_test.cpp
  unit/http_body_memory_test.cpp
  unit/http_refusal_test.cpp
  unit/http_server_test.cpp
  unit/http_slow_reader_test.cpp
  unit/io_thread_test.cpp
  unit/listening_port_test.cpp
  unit/message_parser_test.cpp
  unit/problem_test.cpp
  unit/request_target_test.cpp
  unit/router_test.cpp)
target_link_libraries(test_http PRIVATE troupe_http)
set_source_files_properties(unit/fuzz_corpus_test.cpp PROPERTIES
  COMPILE_DEFINITIONS TROUPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

troupe_suite(transport
  unit/certificates_test.cpp
  unit/certs_test.cpp
  unit/cluster_transport_test.cpp
  unit/credential_source_test.cpp
  unit/first_bytes_test.cpp
  unit/gate_test.cpp
  unit/half_open_test.cpp
  unit/name_lookup_test.cpp
  unit/refusal_log_test.cpp)
target_link_libraries(test_transport PRIVATE troupe_transport troupe_config)

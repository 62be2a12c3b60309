troupe_suite(discovery
  unit/key_store_test.cpp
  unit/proposal_table_test.cpp
  unit/quorum_contact_test.cpp
  unit/raft_engine_test.cpp
  unit/raft_log_test.cpp
  unit/state_machine_test.cpp)
target_link_libraries(test_discovery PRIVATE
  troupe_discovery)

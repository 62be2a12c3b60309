troupe_suite(discovery
  unit/full_disk_test.cpp
  unit/key_store_test.cpp
  unit/parted_message_test.cpp
  unit/proposal_table_test.cpp
  unit/quorum_contact_test.cpp
  unit/raft_engine_test.cpp
  unit/raft_log_test.cpp
  unit/sessions_test.cpp
  unit/state_machine_test.cpp)
target_link_libraries(test_discovery PRIVATE
  troupe_discovery)

troupe_suite(peer_source
  unit/backoff_test.cpp
  unit/file_peers_test.cpp
  unit/peer_list_test.cpp
  unit/peer_source_test.cpp
  unit/redis_registration_test.cpp
  unit/srv_answer_test.cpp)
target_link_libraries(test_peer_source PRIVATE troupe_discovery)

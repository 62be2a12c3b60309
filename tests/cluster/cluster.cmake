add_library(troupe_simulation STATIC
  cluster/simulated_cluster.cpp
  cluster/simulated_members.cpp
  support/memory_log.cpp)
target_link_libraries(troupe_simulation PUBLIC troupe_test_main troupe_discovery)
target_precompile_headers(troupe_simulation REUSE_FROM troupe_test_main)

troupe_suite(cluster
  cluster/catalog_cluster_test.cpp
  cluster/chaos_test.cpp
  cluster/disk_trouble_test.cpp
  cluster/early_change_test.cpp
  cluster/election_test.cpp
  cluster/figure_8_test.cpp
  cluster/lost_end_test.cpp
  cluster/members_test.cpp
  cluster/membership_change_test.cpp
  cluster/replication_test.cpp)
target_link_libraries(test_cluster PRIVATE troupe_simulation)

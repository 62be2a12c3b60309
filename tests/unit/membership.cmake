troupe_suite(membership
  unit/claims_test.cpp
  unit/compatibility_test.cpp
  unit/founding_test.cpp
  unit/identity_test.cpp
  unit/membership_test.cpp
  unit/peering_test.cpp
  unit/restart_test.cpp
  unit/seats_test.cpp
  unit/supervisor_test.cpp
  unit/verdicts_test.cpp)
target_link_libraries(test_membership PRIVATE troupe_actors troupe_discovery)

# Real processes on loopback. One at a time: they measure times.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

function(troupe_integration name timeout)
  add_test(NAME integration_${name}
           COMMAND ${Python3_EXECUTABLE}
                   ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_${name}.py ${ARGN})
  set_tests_properties(integration_${name} PROPERTIES
    LABELS integration
    RUN_SERIAL ON
    # Where the user lacks a right that the test needs.
    SKIP_RETURN_CODE 77
    TIMEOUT ${timeout}
    ENVIRONMENT "TROUPE_BINARY=$<TARGET_FILE:troupe>;PYTHONDONTWRITEBYTECODE=1;PYTHONUNBUFFERED=1")
endfunction()

if(TARGET troupe)
  add_executable(troupe_other_version
    ${PROJECT_SOURCE_DIR}/node/main.cpp integration/other_version.cpp)
  target_link_libraries(troupe_other_version PRIVATE troupe_node)

  troupe_integration(cluster 180)
  troupe_integration(lifecycle 180)
  troupe_integration(catalog_keys 240)
  troupe_integration(shutdown 120)
  troupe_integration(restart 180)
  troupe_integration(upgrade 180 $<TARGET_FILE:troupe_other_version>)
  troupe_integration(seven 240)
  troupe_integration(recover 120)
  troupe_integration(failover 180 --kills 3)
  troupe_integration(backend 120)
  troupe_integration(discovery 180)
  troupe_integration(strangers 300)
  troupe_integration(disk 240)
  troupe_integration(flood 120)
endif()

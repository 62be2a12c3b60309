# The checker, the clients and the network by themselves, and a short campaign.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

function(troupe_chaos name timeout script)
  add_test(NAME chaos_${name}
           COMMAND ${Python3_EXECUTABLE}
                   ${CMAKE_CURRENT_SOURCE_DIR}/chaos/${script} ${ARGN})
  set_tests_properties(chaos_${name} PROPERTIES
    LABELS chaos
    RUN_SERIAL ON
    # Where network namespaces can't be made.
    SKIP_RETURN_CODE 77
    TIMEOUT ${timeout}
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;PYTHONUNBUFFERED=1")
endfunction()

troupe_chaos(linearizability 120 test_linearizability.py)
troupe_chaos(workload 120 test_workload.py)
troupe_chaos(network 60 test_network.py)

if(TARGET troupe)
  troupe_chaos(campaign 300 campaign.py --seeds 1-3 --minutes 0.3
               --output ${CMAKE_BINARY_DIR}/chaos)
  set_property(TEST chaos_campaign APPEND PROPERTY
    ENVIRONMENT "TROUPE_BINARY=$<TARGET_FILE:troupe>")
endif()

# Quick tests of the tools themselves; nothing is compiled.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

foreach(tool scripts mutants)
  add_test(NAME ${tool}
           COMMAND ${Python3_EXECUTABLE}
                   ${CMAKE_CURRENT_SOURCE_DIR}/${tool}/test_${tool}.py)
  set_tests_properties(${tool} PROPERTIES
    TIMEOUT 120 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endforeach()

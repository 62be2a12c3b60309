// The entry point of every suite.
#include <caf/test/unit_test_impl.hpp>

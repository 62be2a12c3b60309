#include "messages/library_assertion.hpp"

#include <string>

// What BOOST_ASSERT calls where BOOST_ENABLE_ASSERT_HANDLER is defined, which
// the `asio` target does for all that include Boost.

namespace boost {

void assertion_failed(char const* expression, char const* function,
                      char const* file, long line) {
  throw troupe::library_assertion{std::string{file} + ":" + std::to_string(line)
                                  + ": " + function + ": " + expression};
}

void assertion_failed_msg(char const* expression, char const* message,
                          char const* function, char const* file, long line) {
  assertion_failed((std::string{expression} + ": " + message).c_str(), function,
                   file, line);
}

} // namespace boost

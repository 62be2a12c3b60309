#pragma once

#include <boost/system/error_code.hpp>

#include "messages/library_assertion.hpp"

namespace troupe {

/// Logs that the parser's own check failed. The error to refuse the message
/// with: `state_not_recoverable`.
boost::system::error_code report(const library_assertion& broken);

} // namespace troupe

#pragma once

#include <cstddef>
#include <string>

#include <boost/system/error_code.hpp>

namespace troupe {

/// Why a request is not taken.
struct refusal {
  unsigned status = 400;
  /// For people: what is wrong, and what would be right.
  std::string detail;
};

/// What `message_parser` found wrong with a request.
/// @param max_head_bytes the limit it was given.
refusal explain_refusal(const boost::system::error_code& failure,
                        std::size_t max_head_bytes);

} // namespace troupe

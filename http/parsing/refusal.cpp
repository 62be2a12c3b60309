#include "http/parsing/refusal.hpp"

#include <boost/beast/http/error.hpp>

namespace troupe {

refusal explain_refusal(const boost::system::error_code& failure,
                        std::size_t max_head_bytes) {
  using boost::beast::http::error;
  if (failure == error::header_limit)
    return {431, "request line and header are larger than "
                   + std::to_string(max_head_bytes) + " bytes"};
  if (failure == error::bad_line_ending)
    return {400, "a line ends with CR or LF alone, not with CRLF"};
  if (failure == error::bad_obs_fold)
    return {400, "header lines must not be folded"};
  if (failure == error::bad_target)
    return {400, "the request line is not METHOD TARGET HTTP/1.1"};
  if (failure == error::bad_version)
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "not a valid HTTP/1.1 request: " + failure.message()};
}

} // namespace troupe

#include "http/parsing/refusal.hpp"

#include <boost/beast/http/error.hpp>
#include <spdlog/spdlog.h>

#include "http/parsing/broken_parser.hpp"

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
  if (failure == boost::system::errc::state_not_recoverable)
    return {500, "this node failed to read the request; its log says where"};
  return {400, "not a valid HTTP/1.1 request: " + failure.message()};
}

boost::system::error_code report(const library_assertion& broken) {
  spdlog::error("http: a message is refused, its parser is broken: {}",
                broken.what());
  return make_error_code(boost::system::errc::state_not_recoverable);
}

} // namespace troupe

#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "http/server/exchange.hpp"

namespace troupe {

/// What the answer's head depends on besides the answer.
struct response_frame {
  std::string_view request_id;
  /// IMF-fixdate.
  std::string_view date;
  /// Security headers and the like, whole lines.
  std::string_view common_headers;
  bool keep_alive = true;
  /// HTTP/1.0 closes unless told otherwise, HTTP/1.1 the other way round.
  bool http_1_1 = true;
  /// The answer to HEAD: all but the body.
  bool head_only = false;
};

/// Appends `answer` as it goes over the wire.
void append_response(std::string& out, const http_response& answer,
                     const response_frame& frame);

/// The headers that Helmet sets, for an API that serves its own pages only.
std::string_view security_headers();

/// The `Date` header's value, made once a second.
class http_date {
public:
  std::string_view at(std::time_t now);

private:
  std::time_t made_at_ = -1;
  std::string text_;
};

} // namespace troupe

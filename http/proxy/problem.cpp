#include "http/proxy/problem.hpp"

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

#include "messages/error.hpp"

namespace troupe::proxying {

std::string_view problem_code(unsigned status) {
  switch (status) {
    case 404:
      return to_string(errc::not_found);
    case 405:
      return to_string(errc::method_not_allowed);
    case 408:
    case 504:
      return to_string(errc::timed_out);
    case 431:
      return to_string(errc::too_large);
    case 500:
      return to_string(errc::internal);
    case 508:
      return to_string(errc::conflict);
    case 502:
    case 503:
      return to_string(errc::unavailable);
    default:
      return to_string(errc::malformed);
  }
}

void append_problem(std::string& out, const problem& what) {
  namespace http = boost::beast::http;
  auto reason = http::obsolete_reason(http::int_to_status(what.status));
  std::string title{reason.data(), reason.size()};
  nlohmann::ordered_json error{
    {"type", "about:blank"},
    {"title", title},
    {"status", what.status},
    {"detail", what.detail},
    {"code", what.code},
    {"instance", what.instance},
    {"requestId", what.request_id},
  };
  nlohmann::ordered_json body{{"success", false}, {"error", std::move(error)}};
  // What a client sent need not be UTF-8.
  auto text =
    body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
    + "\n";
  out.append("HTTP/1.1 ").append(std::to_string(what.status));
  out.append(" ").append(title);
  out.append("\r\nContent-Type: application/json\r\nContent-Length: ");
  out.append(std::to_string(text.size()));
  out.append("\r\nDate: ").append(what.date);
  out.append("\r\nX-Request-Id: ").append(what.request_id);
  // RFC 9110 §15.5.6 and §15.6.4.
  if (what.status == 405)
    out.append("\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (what.status == 503)
    out.append("\r\nRetry-After: 1");
  if (!what.keep_alive)
    out.append("\r\nConnection: close");
  else if (what.to_http_1_0)
    out.append("\r\nConnection: keep-alive");
  out.append("\r\n\r\n");
  if (!what.head_only)
    out.append(text);
}

} // namespace troupe::proxying

#pragma once

#include <string>
#include <string_view>

namespace troupe::proxying {

/// An answer that the proxy gives itself, with problem details (RFC 9457) that
/// say why.
struct problem {
  unsigned status = 500;
  /// As `troupe::errc` prints, for programs.
  std::string_view code;
  /// For people.
  std::string_view detail;
  /// The path that was asked for.
  std::string_view instance;
  std::string_view request_id;
  /// IMF-fixdate.
  std::string_view date;
  bool keep_alive = false;
  /// HTTP/1.0 closes unless told otherwise.
  bool to_http_1_0 = false;
  /// Whether the answer is to HEAD and has no body.
  bool head_only = false;
};

/// Appends the whole response.
void append_problem(std::string& out, const problem& what);

/// The `code` that goes with a status of the proxy.
std::string_view problem_code(unsigned status);

} // namespace troupe::proxying

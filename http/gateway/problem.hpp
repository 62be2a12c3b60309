#pragma once

#include <string>
#include <string_view>

#include <caf/error.hpp>

#include "http/server/exchange.hpp"
#include "http/server/server.hpp"
#include "messages/error.hpp"

namespace troupe {

/// An error code's place in HTTP.
struct problem_kind {
  unsigned status = 500;
  /// The same for all problems of the kind (RFC 9457 §3.1.3).
  std::string_view title;
};

/// The one table of error codes and statuses.
problem_kind kind_of(errc code);

/// One answer that is an error.
struct problem {
  errc code = errc::internal;
  std::string detail;
  /// The offending field of the request, if there is one.
  std::string field = {};
  /// Where HTTP has a more precise status than the code's; 0: the code's.
  unsigned status = 0;
};

/// `{"success": false, "error": {...}}` with the members of RFC 9457.
/// `instance` is the request's path.
std::string render(const problem& what, std::string_view instance,
                   std::string_view request_id);

/// For `server_handlers::render_failure`.
std::string render_failure(const request_failure& what);

/// Answers with a problem.
void respond_problem(http_exchange& exchange, const problem& what);

/// Answers with what an actor's error says.
void respond_problem(http_exchange& exchange, const caf::error& what);

} // namespace troupe

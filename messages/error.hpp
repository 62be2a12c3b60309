#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/error.hpp>

namespace troupe {

/// Everything that can go wrong, by what the caller can do about it.
/// `http/gateway/problem.cpp` maps each to one HTTP status.
enum class errc : std::uint8_t {
  /// The text is not what its format says (JSON, query, header, frame). 400
  malformed = 1,
  /// A field is missing, unknown, of the wrong type or out of bounds. 422
  invalid_field,
  /// No such server, key, node or route. 404
  not_found,
  /// The route exists, but not for this method. 405
  method_not_allowed,
  /// It is there already, or the state forbids it. 409
  conflict,
  /// Larger than the limit that the detail names. 413
  too_large,
  /// A queue or connection limit is reached; try again later. 503
  overloaded,
  /// No Raft leader is known, or a quorum is missing. 503
  no_quorum,
  /// This node is not the leader; internal, retried on the right one. 503
  not_leader,
  /// This node does not own the key's slot (any more); internal, retried. 503
  wrong_owner,
  /// The peer that owns the answer can't be reached. 503
  unavailable,
  /// No answer within the deadline. 504
  timed_out,
  /// The node is shutting down. 503
  shutting_down,
  /// A peer's cluster name, protocol version or settings don't fit. 409
  incompatible,
  /// A file can't be read or written. Fatal where it holds the log. 500
  storage_failed,
  /// Stored or received bytes are not what was written. 500
  corrupt,
  /// A defect of ours. 500
  internal,
};

/// The code as it stands in a problem's `code` field, for example `not_found`.
std::string_view to_string(errc code);

/// Makes an error of category `troupe`.
/// @param detail says what is wrong, where, and what would be right.
/// @param field names the offending field (`weight`) or stays empty.
caf::error make_error(errc code, std::string detail, std::string field = {});

/// What an error says once taken apart.
struct error_view {
  errc code = errc::internal;
  std::string detail;
  std::string field;
};

/// Takes any `caf::error` apart. CAF's own codes become ours: a request's
/// timeout is `timed_out`, a dead receiver `unavailable`, anything else
/// `internal`.
error_view describe(const caf::error& what);

} // namespace troupe

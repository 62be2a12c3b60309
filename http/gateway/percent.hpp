#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Undoes percent-encoding (RFC 3986 §2.1). Nothing when a `%` is not followed
/// by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
std::string percent_encode(std::string_view text);

/// `a=1&b=2`, decoded. Nothing when it is malformed or names a parameter twice.
std::optional<std::map<std::string, std::string, std::less<>>>
parse_query(std::string_view query);

} // namespace troupe

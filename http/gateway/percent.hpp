#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Undoes percent-encoding (RFC 3986 §2.1). Nothing when a `%` is not followed
/// by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
std::string percent_encode(std::string_view text);

} // namespace troupe

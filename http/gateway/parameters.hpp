#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "http/gateway/problem.hpp"

namespace troupe {

/// A query's parameters by name, decoded.
using query_parameters = std::map<std::string, std::string, std::less<>>;

/// Reads `a=1&b=2`. A problem when it is not percent-encoded as it should be,
/// has a parameter that is not among `known`, or one twice: a condition that
/// is misspelt must not silently fall away.
std::variant<query_parameters, problem>
read_parameters(std::string_view query,
                std::span<const std::string_view> known);

} // namespace troupe

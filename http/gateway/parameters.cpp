#include "http/gateway/parameters.hpp"

#include <algorithm>
#include <optional>

#include "http/gateway/percent.hpp"

namespace troupe {

namespace {

/// The name is the client's own text: it may be of any length.
problem refused(std::string_view name, std::string_view why) {
  auto shown = std::string{name.substr(0, 64)};
  auto detail = "the query parameter '" + shown + "' " + std::string{why};
  return {errc::malformed, std::move(detail), std::move(shown)};
}

problem unknown(std::string_view name,
                std::span<const std::string_view> known) {
  if (known.empty())
    return refused(name, "is unknown; this route takes none");
  std::string all;
  for (auto one : known)
    all.append(all.empty() ? "" : ", ").append(one);
  return refused(name, "is unknown; known: " + all);
}

} // namespace

std::variant<query_parameters, problem>
read_parameters(std::string_view query,
                std::span<const std::string_view> known) {
  query_parameters result;
  while (!query.empty()) {
    auto end = query.find('&');
    auto pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty())
      continue;
    auto middle = pair.find('=');
    auto name = percent_decode(pair.substr(0, middle));
    auto value = percent_decode(middle == std::string_view::npos
                                  ? std::string_view{}
                                  : pair.substr(middle + 1));
    if (!name || !value)
      return problem{errc::malformed,
                     "the query has a % without two hex digits"};
    if (std::find(known.begin(), known.end(), *name) == known.end())
      return unknown(*name, known);
    if (!result.emplace(*name, std::move(*value)).second)
      return refused(*name, "stands there twice");
  }
  return result;
}

} // namespace troupe

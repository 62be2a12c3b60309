#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>
#include <nlohmann/json.hpp>

#include "http/gateway/problem.hpp"
#include "messages/text_rules.hpp"

namespace troupe {

/// Values, those of arrays and objects included, that one body may have: each
/// costs up to 100 bytes while it is read, however short its text is.
inline constexpr std::uint32_t max_json_values = 250'000;

/// Parses JSON text. Errors: malformed, with line and column; also for nesting
/// beyond `max_json_depth`. too_large: more than `max_json_values`. The last
/// two are found before any memory is spent on the values.
caf::expected<nlohmann::json> parse_json(std::string_view text);

/// Reads the fields of a request's body, a JSON object. Strict: what it does
/// not know, or is missing, of another type or out of bounds, is an error that
/// names the field and the bound. The first error stays; readers then give
/// their default, so a handler looks at `failure` once, at the end.
class field_reader {
public:
  /// @param known names all fields that the object may have.
  field_reader(const http_request& request,
               const std::vector<std::string_view>& known);

  /// What is wrong, if something is.
  const std::optional<problem>& failure() const noexcept { return failure_; }

  /// A string of 1 to `max_bytes` bytes; required without `fallback`.
  std::string text(std::string_view name, std::size_t max_bytes,
                   std::optional<std::string> fallback = std::nullopt);

  /// A string that keeps `rule`; required without `fallback`.
  std::string text(std::string_view name, const text_rule& rule,
                   std::optional<std::string> fallback = std::nullopt);

  /// A whole number within bounds; required without `fallback`.
  std::int64_t integer(std::string_view name, std::int64_t min,
                       std::int64_t max,
                       std::optional<std::int64_t> fallback = std::nullopt);

  /// A number within bounds; `fallback` when it is missing.
  double number(std::string_view name, double min, double max, double fallback);

  /// A required `true` or `false`.
  bool boolean(std::string_view name);

  /// A required field of any type.
  nlohmann::json any(std::string_view name);

  bool is_null(std::string_view name) const;

  /// Fails the body with `why`, unless something else is wrong already.
  void fail(problem why);

  /// Makes `name` the offending field, unless there is one already.
  void reject(std::string_view name, std::string detail);

private:
  const nlohmann::json* find(std::string_view name, bool required);

  nlohmann::json object_;
  std::optional<problem> failure_;
};

} // namespace troupe

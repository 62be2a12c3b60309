#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

struct config_member;
struct config_value;

using config_list = std::vector<config_value>;
using config_object = std::vector<config_member>;

/// A value of any source before its type was checked: what JSON can say, with
/// the line it stands on.
struct config_value {
  std::variant<std::monostate, bool, std::int64_t, double, std::string,
               config_list, config_object>
    data;
  /// 1 is the first; 0 when the value doesn't stand in a file.
  std::uint32_t line = 0;
};

/// A key of an object with its value.
struct config_member {
  std::string key;
  config_value value;
};

/// What is wrong with a text, and where.
struct syntax_error {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string what;
};

/// Reads JSON with `//` and `/* */` comments. A key that stands twice in one
/// object is an error too.
std::variant<config_value, syntax_error> parse_json(std::string_view text);

/// JSON on one line.
std::string to_json(const config_value& value);

} // namespace troupe

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/value.hpp"

namespace troupe {

/// Where a setting comes from. Later sources win over earlier ones.
enum class config_source : std::uint8_t { defaults, file, environment, flag };

struct origin {
  config_source source = config_source::defaults;
  /// The file, the variable or the flag.
  std::string name = {};
  /// In the file; 0 when unknown.
  std::uint32_t line = 0;
};

/// `default`, `troupe.json:12`, `environment PORT`, `flag --name`.
std::string to_string(const origin& from);

/// Something that is wrong with the configuration.
struct config_problem {
  origin from;
  /// The option, or empty when the whole source is meant.
  std::string path;
  /// What is wrong and what would be right.
  std::string what;
};

/// `troupe.json:12: cluster.port: is 70000, must be a whole number from 1 to
/// 65535`.
std::string to_string(const config_problem& problem);

using config_problems = std::vector<config_problem>;

/// Reading one value: knows where it stands and takes what is wrong with it.
class reading {
public:
  reading(origin from, std::string path, config_problems& problems,
          bool secret = false)
    : from_(std::move(from)), path_(std::move(path)), problems_(problems),
      secret_(secret) {}

  /// Reports that `value` is not as `must_be` says. Always false.
  bool reject(const config_value& value, std::string_view must_be);

  /// Reports anything else. Always false.
  bool reject(std::string what);

  /// The reading of a part: `[0]` or `.service`.
  reading part(std::string_view suffix, const config_value& value) const;

  const std::string& path() const noexcept { return path_; }
  const origin& from() const noexcept { return from_; }

  /// Marks a value that must not be printed.
  void secret(bool x) noexcept { secret_ = x; }

private:
  origin from_;
  std::string path_;
  config_problems& problems_;
  bool secret_;
};

} // namespace troupe

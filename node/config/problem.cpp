#include "node/config/problem.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

constexpr std::size_t longest_quote = 60;

std::string quote(const config_value& value) {
  if (std::holds_alternative<config_object>(value.data))
    return "an object";
  if (std::holds_alternative<config_list>(value.data))
    return "a list";
  auto text = to_json(value);
  if (text.size() > longest_quote)
    text = text.substr(0, longest_quote) + "…";
  return text;
}

} // namespace

std::string to_string(const origin& from) {
  switch (from.source) {
    case config_source::defaults:
      return "default";
    case config_source::file:
      return from.line == 0 ? from.name
                            : fmt::format("{}:{}", from.name, from.line);
    case config_source::environment:
      return "environment " + from.name;
    case config_source::flag:
      return "flag " + from.name;
  }
  return {};
}

std::string to_string(const config_problem& problem) {
  if (problem.path.empty())
    return fmt::format("{}: {}", to_string(problem.from), problem.what);
  return fmt::format("{}: {}: {}", to_string(problem.from), problem.path,
                     problem.what);
}

bool reading::reject(const config_value& value, std::string_view must_be) {
  return reject(fmt::format("is {}, must be {}",
                            secret_ ? "not valid" : quote(value), must_be));
}

bool reading::reject(std::string what) {
  problems_.push_back({from_, path_, std::move(what)});
  return false;
}

reading reading::part(std::string_view suffix,
                      const config_value& value) const {
  auto from = from_;
  if (value.line != 0)
    from.line = value.line;
  return {std::move(from), path_ + std::string{suffix}, problems_, secret_};
}

} // namespace troupe

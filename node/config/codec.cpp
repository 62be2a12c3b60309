#include "node/config/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "messages/address.hpp"

namespace troupe {

namespace {

constexpr std::array level_names = {"error", "warn", "info", "debug", "trace"};

std::string_view unit(value_kind kind) {
  switch (kind) {
    case value_kind::duration:
      return "a duration in ms";
    case value_kind::seconds:
      return "a duration in s";
    default:
      return "a whole number";
  }
}

std::string text_expectation(const option_traits& traits) {
  if (!traits.choices.empty())
    return fmt::format("one of {}", fmt::join(traits.choices, ", "));
  return std::string{traits.rule ? traits.rule->must_be : "a string"};
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T result{};
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, result);
  if (failure != std::errc{} || end != last)
    return std::nullopt;
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

config_list split(std::string_view text) {
  config_list items;
  while (!text.empty()) {
    auto comma = text.find(',');
    items.push_back({std::string{trim(text.substr(0, comma))}});
    text = comma == text.npos ? "" : text.substr(comma + 1);
  }
  return items;
}

} // namespace

std::string expectation(value_kind kind, const option_traits& traits) {
  switch (kind) {
    case value_kind::boolean:
      return "true or false";
    case value_kind::text:
      return text_expectation(traits);
    case value_kind::text_list:
      return "a list, each item " + text_expectation(traits);
    case value_kind::object_list:
      return "a list of objects";
    default:
      break;
  }
  if (traits.max == std::numeric_limits<std::int64_t>::max())
    return fmt::format("{} of at least {}", unit(kind), traits.min);
  return fmt::format("{} from {} to {}", unit(kind), traits.min, traits.max);
}

config_value parse_text(value_kind kind, std::string_view text) {
  config_value as_text{std::string{text}};
  text = trim(text);
  switch (kind) {
    case value_kind::boolean:
      if (text == "true" || text == "1")
        return {true};
      if (text == "false" || text == "0")
        return {false};
      return as_text;
    case value_kind::integer:
    case value_kind::duration:
    case value_kind::seconds:
      if (auto number = parse_number<std::int64_t>(text))
        return {*number};
      return as_text;
    case value_kind::text:
      return as_text;
    case value_kind::text_list:
      if (!text.starts_with('['))
        return {split(text)};
      [[fallthrough]];
    case value_kind::object_list: {
      auto parsed = parse_json(text);
      auto value = std::get_if<config_value>(&parsed);
      if (!value)
        return as_text;
      return std::move(*value);
    }
  }
  return as_text;
}

bool decode(const config_value& from, const option_traits& traits, bool& to,
            reading& in) {
  auto value = std::get_if<bool>(&from.data);
  if (!value)
    return in.reject(from, expectation(value_kind::boolean, traits));
  to = *value;
  return true;
}

bool decode(const config_value& from, const option_traits& traits,
            std::string& to, reading& in) {
  auto value = std::get_if<std::string>(&from.data);
  auto allowed = [&] {
    auto& choices = traits.choices;
    if (!choices.empty())
      return std::find(choices.begin(), choices.end(), *value) != choices.end();
    return !traits.rule || traits.rule->holds(*value);
  };
  if (!value || !allowed())
    return in.reject(from, text_expectation(traits));
  to = *value;
  return true;
}

bool decode(const config_value& from, const option_traits& traits,
            log_level& to, reading& in) {
  std::string name;
  if (!decode(from, traits, name, in))
    return false;
  auto found = std::find(level_names.begin(), level_names.end(), name);
  to = static_cast<log_level>(found - level_names.begin());
  return true;
}

bool decode(const config_value& from, const option_traits& traits, endpoint& to,
            reading& in) {
  std::string text;
  if (!decode(from, traits, text, in))
    return false;
  auto parsed = parse_endpoint(text);
  if (!parsed)
    return in.reject(from, endpoint_format);
  to = std::move(*parsed);
  return true;
}

bool decode_number(const config_value& from, value_kind kind,
                   const option_traits& traits, std::int64_t& to, reading& in) {
  auto value = std::get_if<std::int64_t>(&from.data);
  if (!value || *value < traits.min || *value > traits.max)
    return in.reject(from, expectation(kind, traits));
  to = *value;
  return true;
}

std::string_view to_string(log_level level) {
  return level_names[static_cast<std::size_t>(level)];
}

} // namespace troupe

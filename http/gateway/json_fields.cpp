#include "http/gateway/json_fields.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include <boost/beast/core/string.hpp>

#include <fmt/format.h>

#include "http/gateway/json_text.hpp"

namespace troupe {

using nlohmann::json;

namespace {

/// What is too much about a text, found without parsing: the parser's tree is
/// destroyed and written recursively, and larger than the text by far, so both
/// must be bounded before there is one. Each value but the first of an array or
/// object comes after a comma.
caf::error excess_of(std::string_view text) {
  std::uint32_t depth = 0;
  std::uint32_t values = 1;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = text[i];
    if (c == '"')
      quoted = !quoted;
    else if (quoted)
      i += c == '\\' ? 1 : 0;
    else if (c == '[' || c == '{')
      ++depth, ++values;
    else if (c == ',')
      ++values;
    else if ((c == ']' || c == '}') && depth > 0)
      --depth;
    if (depth > max_json_depth)
      return make_error(
        errc::malformed,
        fmt::format("nested deeper than {} levels", max_json_depth));
    if (values > max_json_values)
      return make_error(
        errc::too_large,
        fmt::format("more than {} values in one body", max_json_values));
  }
  return caf::none;
}

/// nlohmann's text without its `[json.exception...]`.
std::string reason_of(const json::exception& failure) {
  std::string_view text = failure.what();
  auto end = text.find("] ");
  if (end != std::string_view::npos)
    text.remove_prefix(end + 2);
  return std::string{text.substr(0, 300)};
}

struct duplicate_key {
  std::string name;
};

/// Keeps the keys of the objects that are open, and throws at the second of a
/// name: which of the two counts differs between programs (RFC 8259 §4).
class key_watch {
public:
  bool operator()(int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start)
      open_.emplace_back();
    else if (event == json::parse_event_t::object_end)
      open_.pop_back();
    else if (event == json::parse_event_t::key)
      add(value.get_ref<const std::string&>());
    return true;
  }

private:
  void add(const std::string& name) {
    if (!open_.back().insert(name).second)
      throw duplicate_key{name};
  }

  std::vector<std::set<std::string>> open_;
};

bool is_json_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t'))
    type.remove_suffix(1);
  return boost::beast::iequals({type.data(), type.size()}, "application/json");
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string result;
  for (auto name : names) {
    if (!result.empty())
      result += ", ";
    result += name;
  }
  return result;
}

} // namespace

caf::expected<json> parse_json(std::string_view text) {
  if (auto excess = excess_of(text))
    return excess;
  try {
    key_watch watch;
    return json::parse(text, std::ref(watch));
  } catch (const duplicate_key& twice) {
    auto name = twice.name.substr(0, 64);
    return make_error(errc::malformed,
                      "the key '" + name + "' stands twice in an object", name);
  } catch (const json::exception& failure) {
    return make_error(errc::malformed, "not JSON: " + reason_of(failure));
  }
}

field_reader::field_reader(const http_request& request,
                           const std::vector<std::string_view>& known)
  : object_(json::object()) {
  if (request.body.empty()) {
    failure_ = problem{errc::malformed, "the body is empty, not a JSON object"};
    return;
  }
  // A page of another site may send any other type without asking first
  // (fetch.spec.whatwg.org, "CORS-safelisted request-header").
  auto type = request.header("Content-Type");
  if (!is_json_type(type)) {
    failure_ = problem{errc::malformed,
                       fmt::format("Content-Type is {}, must be '{}'",
                                   type.empty()
                                     ? "missing"
                                     : fmt::format("'{}'", type.substr(0, 200)),
                                   json_type),
                       "Content-Type", 415};
    return;
  }
  auto parsed = parse_json(request.body);
  if (!parsed) {
    auto view = describe(parsed.error());
    failure_ =
      problem{view.code, std::move(view.detail), std::move(view.field)};
    return;
  }
  if (!parsed->is_object()) {
    failure_ = problem{errc::malformed,
                       fmt::format("the body is JSON of type {}, not an object",
                                   parsed->type_name())};
    return;
  }
  object_ = std::move(*parsed);
  for (auto& [name, value] : object_.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      reject(name, "unknown field; known are: " + joined(known));
}

void field_reader::fail(problem why) {
  if (!failure_)
    failure_ = std::move(why);
}

void field_reader::reject(std::string_view name, std::string detail) {
  if (failure_)
    return;
  // The name is the client's own text: it may be of any length.
  auto shown = std::string{name.substr(0, 64)};
  auto text = fmt::format("'{}' {}", shown, detail);
  if (detail.starts_with("unknown"))
    text = fmt::format("'{}': {}", shown, detail);
  failure_ = problem{errc::invalid_field, std::move(text), std::move(shown)};
}

const json* field_reader::find(std::string_view name, bool required) {
  auto i = object_.find(name);
  if (i != object_.end())
    return failure_ ? nullptr : &*i;
  if (required)
    reject(name, "is missing");
  return nullptr;
}

std::string field_reader::text(std::string_view name, std::size_t max_bytes,
                               std::optional<std::string> fallback) {
  if (auto* value = find(name, !fallback)) {
    auto* result = value->get_ptr<const std::string*>();
    if (result != nullptr && !result->empty() && result->size() <= max_bytes)
      return *result;
    reject(name, fmt::format("must be a string of 1 to {} bytes", max_bytes));
  }
  return fallback.value_or(std::string{});
}

std::string field_reader::text(std::string_view name, const text_rule& rule,
                               std::optional<std::string> fallback) {
  if (auto* value = find(name, !fallback)) {
    auto* result = value->get_ptr<const std::string*>();
    if (result != nullptr && rule.holds(*result))
      return *result;
    reject(name, fmt::format("must be a string: {}", rule.must_be));
  }
  return fallback.value_or(std::string{});
}

std::int64_t field_reader::integer(std::string_view name, std::int64_t min,
                                   std::int64_t max,
                                   std::optional<std::int64_t> fallback) {
  if (auto* value = find(name, !fallback)) {
    // A number above int64's range is unsigned here, and out of bounds.
    auto fits = value->is_number_integer()
                && (!value->is_number_unsigned()
                    || value->get<std::uint64_t>() <= INT64_MAX);
    if (fits) {
      auto result = value->get<std::int64_t>();
      if (result >= min && result <= max)
        return result;
    }
    reject(name, fmt::format("must be a whole number from {} to {}", min, max));
  }
  return fallback.value_or(min);
}

double field_reader::number(std::string_view name, double min, double max,
                            double fallback) {
  if (auto* value = find(name, false)) {
    if (value->is_number()) {
      auto result = value->get<double>();
      if (result >= min && result <= max)
        return result;
    }
    reject(name, fmt::format("must be a number from {} to {}", min, max));
  }
  return fallback;
}

bool field_reader::boolean(std::string_view name) {
  if (auto* value = find(name, true)) {
    if (value->is_boolean())
      return value->get<bool>();
    reject(name, "must be true or false");
  }
  return false;
}

json field_reader::any(std::string_view name) {
  auto* value = find(name, true);
  return value != nullptr ? *value : json{};
}

bool field_reader::is_null(std::string_view name) const {
  auto i = object_.find(name);
  return i != object_.end() && i->is_null();
}

} // namespace troupe

#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/beast/http/verb.hpp>
#include <boost/container/static_vector.hpp>

#include "http/gateway/percent.hpp"

namespace troupe {

/// The values of a pattern's `:names`, decoded.
class route_params {
public:
  static constexpr std::size_t max = 4;

  void add(std::string_view name, std::string value) {
    values_.emplace_back(name, std::move(value));
  }

  std::size_t size() const { return values_.size(); }

  /// The value of `name`, which the pattern must have.
  std::string& at(std::string_view name) {
    for (auto& [candidate, value] : values_)
      if (candidate == name)
        return value;
    return values_.at(max).second; // Throws.
  }

private:
  boost::container::static_vector<std::pair<std::string_view, std::string>, max>
    values_;
};

enum class routing_outcome {
  found,
  /// No pattern fits the path.
  unknown_path,
  /// A pattern fits, but it has no handler for the method.
  other_methods,
  /// A parameter is not percent-encoded as it should be.
  malformed_path,
};

/// Finds a request's handler by method and path. Patterns are paths whose
/// segments may be `:names`, which take any one segment, but not an empty one.
/// A route without names goes before those with names; otherwise the first
/// added wins. Finding allocates only what parameters need.
template <class Handler>
class router {
public:
  using verb = boost::beast::http::verb;

  struct result {
    routing_outcome outcome = routing_outcome::unknown_path;
    const Handler* handler = nullptr;
    route_params params;
    /// The `Allow` header when the path is known.
    std::string_view allow;
  };

  void add(verb method, std::string_view pattern, Handler handler) {
    auto& entry = entry_of(pattern);
    entry.methods.emplace_back(method, std::move(handler));
    append_allow(entry.allow, to_view(method));
    if (method == verb::get)
      append_allow(entry.allow, "HEAD");
  }

  /// HEAD finds GET's handler.
  result find(verb method, std::string_view path) const {
    result found;
    if (auto i = plain_.find(path); i != plain_.end())
      return finish(i->second, method, std::move(found));
    for (auto& entry : with_names_)
      if (fits(entry, path)) {
        if (!capture(entry, path, found.params)) {
          found.outcome = routing_outcome::malformed_path;
          return found;
        }
        return finish(entry, method, std::move(found));
      }
    return found;
  }

  /// Calls `visit(method, pattern, handler)` for each route.
  template <class Visit>
  void each(Visit visit) const {
    auto visit_all = [&](std::string_view pattern, const entry& one) {
      for (auto& [method, handler] : one.methods)
        visit(method, pattern, handler);
    };
    for (auto& [path, one] : plain_)
      visit_all(path, one);
    for (auto& one : with_names_)
      visit_all(one.pattern, one);
  }

private:
  struct entry {
    std::string pattern;
    std::vector<std::pair<verb, Handler>> methods;
    std::string allow = "OPTIONS";
  };

  struct path_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const {
      return std::hash<std::string_view>{}(path);
    }
  };

  static std::string_view to_view(verb method) {
    auto text = boost::beast::http::to_string(method);
    return {text.data(), text.size()};
  }

  static void append_allow(std::string& allow, std::string_view method) {
    allow += ", ";
    allow += method;
  }

  entry& entry_of(std::string_view pattern) {
    if (pattern.find("/:") == std::string_view::npos)
      return plain_.try_emplace(std::string{pattern}).first->second;
    for (auto& candidate : with_names_)
      if (candidate.pattern == pattern)
        return candidate;
    return with_names_.emplace_back(entry{std::string{pattern}, {}});
  }

  static std::string_view take_segment(std::string_view& path) {
    auto end = path.find('/', 1);
    auto segment =
      path.substr(1, end == std::string_view::npos ? end : end - 1);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    return segment;
  }

  /// Calls `visit(pattern segment, path segment)` until one says false.
  template <class Visit>
  static bool walk(std::string_view pattern, std::string_view path,
                   Visit visit) {
    while (!pattern.empty() && !path.empty())
      if (!visit(take_segment(pattern), take_segment(path)))
        return false;
    return pattern.empty() && path.empty();
  }

  static bool fits(const entry& candidate, std::string_view path) {
    return walk(candidate.pattern, path, [](auto expected, auto given) {
      return expected.starts_with(':') ? !given.empty() : expected == given;
    });
  }

  static bool capture(const entry& from, std::string_view path,
                      route_params& into) {
    return walk(from.pattern, path, [&](auto expected, auto given) {
      if (!expected.starts_with(':'))
        return true;
      auto value = percent_decode(given);
      if (value)
        into.add(expected.substr(1), std::move(*value));
      return value.has_value();
    });
  }

  static result finish(const entry& from, verb method, result found) {
    auto wanted = method == verb::head ? verb::get : method;
    found.allow = from.allow;
    found.outcome = routing_outcome::other_methods;
    for (auto& [candidate, handler] : from.methods)
      if (candidate == wanted) {
        found.outcome = routing_outcome::found;
        found.handler = &handler;
      }
    return found;
  }

  std::unordered_map<std::string, entry, path_hash, std::equal_to<>> plain_;
  std::vector<entry> with_names_;
};

} // namespace troupe

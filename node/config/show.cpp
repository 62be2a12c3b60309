#include "node/config/show.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "node/config/options.hpp"

namespace troupe {

namespace {

/// A value with its last key, or a section.
struct printed_member {
  std::string key;
  std::string json;
  std::string comment;
  std::vector<printed_member> members = {};
};

printed_member& section_of(printed_member& root, std::string_view& path) {
  auto at = &root;
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
    auto key = path.substr(0, dot);
    auto found = std::find_if(at->members.begin(), at->members.end(),
                              [&](auto& x) { return x.key == key; });
    if (found == at->members.end())
      found = at->members.insert(found, {std::string{key}, "", ""});
    at = &*found;
    path.remove_prefix(dot + 1);
  }
  return *at;
}

config_value shown_value(const option& what, const configuration& config) {
  auto value = what.load(config);
  if (what.traits.secret && !std::get<std::string>(value.data).empty())
    value = {std::string{masked_secret}};
  return value;
}

std::string origin_of(const option& what, const loaded_configuration& config) {
  auto found = config.origins.find(what.path);
  return to_string(found == config.origins.end() ? origin{} : found->second);
}

void print(const printed_member& section, const std::string& indent,
           bool with_origins, std::string& out) {
  out += "{\n";
  for (auto& x : section.members) {
    auto comma = &x == &section.members.back() ? "" : ",";
    out += fmt::format("{}  \"{}\": ", indent, x.key);
    if (x.members.empty())
      out += x.json + comma;
    else {
      print(x, indent + "  ", with_origins, out);
      out += comma;
    }
    if (with_origins && x.members.empty())
      out += " // " + x.comment;
    out += '\n';
  }
  out += indent + "}";
}

} // namespace

std::string show_configuration(const loaded_configuration& config,
                               bool with_origins) {
  printed_member root;
  for (auto& option : all_options()) {
    auto key = option.path;
    auto& section = section_of(root, key);
    section.members.push_back({std::string{key},
                               to_json(shown_value(option, config.values)),
                               origin_of(option, config)});
  }
  std::string out;
  print(root, "", with_origins, out);
  return out + "\n";
}

std::string show_origins(const loaded_configuration& config) {
  config_object options;
  for (auto& option : all_options())
    options.push_back(
      {std::string{option.path},
       {config_object{{"value", shown_value(option, config.values)},
                      {"origin", {origin_of(option, config)}}}}});
  return to_json({std::move(options)}) + "\n";
}

std::string help_text(const option& what) {
  std::string result{what.description.substr(0, what.description.find(". "))};
  if (!result.ends_with('.'))
    result += '.';
  auto value = what.traits.computed_default.empty()
                 ? to_json(what.default_value)
                 : std::string{what.traits.computed_default};
  std::erase(value, '`');
  return fmt::format("{} Default: {}", result, value);
}

} // namespace troupe

#include "node/config/bind.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "node/config/nearest.hpp"
#include "node/config/options.hpp"

namespace troupe {

namespace {

/// One walk through a tree of sections.
struct walker {
  std::span<const std::string_view> names;
  const known_path_handler& on_known;

  void section(const config_object& members, const std::string& prefix,
               const reading& outer) {
    for (auto& [key, value] : members) {
      auto path = prefix + key;
      auto in = outer.part((outer.path().empty() ? "" : ".") + key, value);
      auto found = std::find(names.begin(), names.end(), path);
      if (found != names.end())
        on_known(static_cast<std::size_t>(found - names.begin()), value, in);
      else if (!leads_to_name(path))
        in.reject("unknown key" + suggestion(path, names));
      else if (auto inner = std::get_if<config_object>(&value.data))
        section(*inner, path + ".", in);
      else
        in.reject(value, "an object");
    }
  }

  bool leads_to_name(const std::string& path) const {
    return std::any_of(names.begin(), names.end(), [&](auto name) {
      return name.size() > path.size() && name.starts_with(path)
             && name[path.size()] == '.';
    });
  }
};

} // namespace

void walk_object(const config_value& object,
                 std::span<const std::string_view> names, reading& in,
                 const known_path_handler& on_known) {
  if (auto members = std::get_if<config_object>(&object.data))
    walker{names, on_known}.section(*members, "", in);
  else
    in.reject(object, "an object");
}

std::string suggestion(std::string_view wrong,
                       std::span<const std::string_view> names) {
  auto nearest = nearest_name(wrong, names);
  return nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest);
}

template <class Item>
bool read_item(const config_value& from, Item& to, reading& in) {
  auto& fields = item_fields<Item>();
  std::vector<bool> given(fields.size());
  bool valid = true;
  auto names = paths_of(fields);
  config_problems ignored;
  for (auto& field : fields) {
    reading defaults{{}, std::string{field.path}, ignored};
    field.assign(to, field.default_value, defaults);
  }
  if (!std::holds_alternative<config_object>(from.data))
    return in.reject(from, "an object");
  walk_object(from, names, in,
              [&](std::size_t i, const config_value& value, reading& part) {
                given[i] = true;
                valid &= fields[i].assign(to, value, part);
              });
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].traits.required && !given[i])
      valid = in.reject(fmt::format("\"{}\" is missing", fields[i].path));
  return valid;
}

template <class Item>
config_value write_item(const Item& x) {
  config_object members;
  for (auto& field : item_fields<Item>())
    members.push_back({std::string{field.path}, field.load(x)});
  return {std::move(members)};
}

template bool read_item(const config_value&, proxy_route&, reading&);
template bool read_item(const config_value&, service_check&, reading&);
template config_value write_item(const proxy_route&);
template config_value write_item(const service_check&);

} // namespace troupe

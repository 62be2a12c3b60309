#include "discovery/peering/compatibility.hpp"

#include <fmt/format.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

/// Read on both sides, so it calls both by name.
caf::error refuse(std::string field, const hello& own, std::string_view ours,
                  const hello& other, std::string_view theirs) {
  auto detail = fmt::format("{} differs: {} has '{}', {} has '{}'", field,
                            own.info.name, ours, other.info.name, theirs);
  return make_error(errc::incompatible, std::move(detail), std::move(field));
}

} // namespace

caf::error check_compatible(const hello& own, const hello& other) {
  if (own.cluster_name != other.cluster_name)
    return refuse("cluster.name", own, own.cluster_name, other,
                  other.cluster_name);
  if (!can_talk(own.info.protocol, other.info.protocol))
    return refuse("protocol version", own, std::to_string(own.info.protocol),
                  other, std::to_string(other.info.protocol));
  if (!own.cluster_uuid.empty() && !other.cluster_uuid.empty()
      && own.cluster_uuid != other.cluster_uuid)
    return refuse("cluster uuid", own, own.cluster_uuid, other,
                  other.cluster_uuid);
  if (own.info.name == other.info.name && own.info.id != other.info.id)
    return make_error(errc::incompatible,
                      "two nodes are named '" + own.info.name
                        + "'; give each its own node.name",
                      "node.name");
  for (auto& [path, value] : own.shared_settings) {
    auto i = other.shared_settings.find(path);
    auto theirs =
      i == other.shared_settings.end() ? std::string{"nothing"} : i->second;
    if (theirs != value)
      return refuse(path, own, value, other, theirs);
  }
  return caf::none;
}

} // namespace troupe

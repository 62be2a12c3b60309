#include "discovery/peering/compatibility.hpp"

#include "messages/error.hpp"

namespace troupe {

namespace {

caf::error refuse(std::string field, const std::string& own,
                  const std::string& other) {
  auto detail =
    field + " differs: this node has '" + own + "', the peer '" + other + "'";
  return make_error(errc::incompatible, std::move(detail), std::move(field));
}

} // namespace

caf::error check_compatible(const hello& own, const hello& other) {
  if (own.cluster_name != other.cluster_name)
    return refuse("cluster.name", own.cluster_name, other.cluster_name);
  if (std::abs(int{own.info.protocol} - int{other.info.protocol}) > 1)
    return refuse("protocol version", std::to_string(own.info.protocol),
                  std::to_string(other.info.protocol));
  if (!own.cluster_uuid.empty() && !other.cluster_uuid.empty()
      && own.cluster_uuid != other.cluster_uuid)
    return refuse("cluster uuid", own.cluster_uuid, other.cluster_uuid);
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
      return refuse(path, value, theirs);
  }
  return caf::none;
}

} // namespace troupe

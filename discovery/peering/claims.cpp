#include "discovery/peering/claims.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "messages/error.hpp"
#include "messages/limits.hpp"
#include "messages/text_rules.hpp"

namespace troupe {

namespace {

/// Of a version, a uuid, a setting's path and its value.
constexpr std::size_t longest_text = 256;

constexpr std::size_t most_settings = 256;

/// Shards and gateways count with the io threads.
constexpr std::size_t most_actors = 4 * max_io_threads;

caf::error refuse(std::string field, std::string_view must_be) {
  auto detail = fmt::format("{} must be {}", field, must_be);
  return make_error(errc::incompatible, std::move(detail), std::move(field));
}

bool is_plain(std::string_view text) {
  return text.size() <= longest_text
         && std::all_of(text.begin(), text.end(),
                        [](unsigned char c) { return c >= ' ' && c != 0x7f; });
}

} // namespace

caf::error check_claims(const node_info& info) {
  if (info.id == member_id::none)
    return refuse("id", "a number other than 0");
  if (!text_rules::name.holds(info.name))
    return refuse("node.name", text_rules::name.must_be);
  if (!is_plain(info.version))
    return refuse("version", "a short text");
  if (info.io_threads == 0 || info.io_threads > max_io_threads)
    return refuse("io_threads", fmt::format("from 1 to {}, is {}",
                                            max_io_threads, info.io_threads));
  if (!text_rules::host.holds(info.cluster.host) || info.cluster.port == 0)
    return refuse("cluster address", "a host and a port");
  for (auto* where : {&info.api, &info.proxy, &info.resp})
    if (!text_rules::optional_host.holds(where->host))
      return refuse("client addresses", text_rules::optional_host.must_be);
  return caf::none;
}

caf::error check_claims(const hello& greeting) {
  if (auto problem = check_claims(greeting.info))
    return problem;
  if (!is_plain(greeting.cluster_name))
    return refuse("cluster.name", "a short text");
  if (!is_plain(greeting.cluster_uuid))
    return refuse("cluster uuid", "a short text");
  if (greeting.shared_settings.size() > most_settings)
    return refuse("shared settings", "few");
  for (auto& [path, value] : greeting.shared_settings)
    if (!is_plain(path) || !is_plain(value))
      return refuse("shared settings", "short texts");
  return check_claims(greeting.actors);
}

caf::error check_claims(const actor_names& actors) {
  auto i = actors.find("peering");
  if (i == actors.end() || !i->second)
    return make_error(errc::incompatible, "the peer names no peering actor",
                      "actors");
  if (actors.size() > most_actors)
    return refuse("actors", fmt::format("at most {}", most_actors));
  for (auto& [name, handle] : actors)
    if (!is_plain(name) || !handle || handle->node() != i->second->node())
      return refuse("actors", "named, and of the process that names them");
  return caf::none;
}

} // namespace troupe

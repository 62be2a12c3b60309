#include "discovery/catalog/state_machine.hpp"

#include "messages/quorum.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "messages/address.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

/// Events kept.
constexpr std::size_t max_events = 1000;

constexpr std::uint32_t max_weight = 1000;

apply_result ok(std::string value = {}) {
  return {0, {}, {}, std::move(value), 0};
}

bool is_present(verdict state) {
  return state == verdict::alive || state == verdict::suspect;
}

std::string describe_server(const server& x) {
  return x.id + " (" + to_string(endpoint{x.host, x.port}) + ")";
}

event about_member(const member& x, std::string message,
                   std::string level = "info") {
  return {{}, "cluster", x.info.name, std::move(message), std::move(level), 0};
}

event about_server(const server& x, std::string message,
                   std::string type = "loadbalancer",
                   std::string level = "info") {
  return {{}, std::move(type), x.service, std::move(message), std::move(level),
          0};
}

std::string_view level_of(verdict state) {
  switch (state) {
    case verdict::down:
      return "error";
    case verdict::suspect:
      return "warning";
    default:
      return "info";
  }
}

} // namespace

apply_result state_machine::apply(const command& what, std::uint64_t index,
                                  std::uint64_t term) {
  state_.applied_index = index;
  switch (sessions_.judge(what.id, index)) {
    case sessions::freshness::applied:
      return sessions_.result_of(what.id);
    case sessions::freshness::stale:
      return refuse(errc::conflict, "the command was answered before");
    case sessions::freshness::outdated:
      return refuse(errc::conflict,
                    to_string(what.id.origin)
                      + " takes part as a later process than this one (its "
                        "data directory may be an old copy)");
    case sessions::freshness::fresh:
      break;
  }
  auto fenced = fenced_off(what, term);
  auto result =
    fenced
      ? std::move(*fenced)
      : std::visit([&](auto& body) { return on(body, what.at); }, what.body);
  result.index = index;
  sessions_.remember(what.id, result);
  return result;
}

std::optional<apply_result>
state_machine::fenced_off(const command& what, std::uint64_t term) const {
  if (what.fence != 0 && what.fence != term)
    return refuse(errc::conflict,
                  "decided in term " + std::to_string(what.fence)
                    + ", but it is term " + std::to_string(term) + " now");
  if (!std::holds_alternative<set_health>(what.body))
    return std::nullopt;
  auto i = state_.members.find(what.id.origin);
  if (i == state_.members.end() || is_present(i->second.state))
    return std::nullopt;
  return refuse(errc::conflict, "checked by " + i->second.info.name
                                  + ", which is "
                                  + std::string{to_string(i->second.state)});
}

void state_machine::apply_configuration(
  const raft_configuration_servers& servers, std::uint64_t index) {
  state_.applied_index = index;
  roles_.clear();
  for (auto& server : servers)
    roles_[server.id] = server.role;
  for (auto& [id, member] : state_.members)
    member.role = role_of(id);
}

cluster_state state_machine::state() const {
  if (!shared_events_)
    shared_events_ = std::make_shared<const std::deque<event>>(events_);
  auto result = state_;
  result.events = shared_events_;
  return result;
}

// -- the cluster and its members ----------------------------------------------

apply_result state_machine::on(const create_cluster& x, unix_ms at) {
  if (!state_.cluster_uuid.empty())
    return refuse(errc::conflict, "the cluster exists already");
  if (x.uuid.empty())
    return refuse(errc::invalid_field, "a cluster needs an id", "uuid");
  state_.cluster_uuid = x.uuid;
  state_.cluster_name = x.name;
  add_event({{}, "cluster", x.name, "cluster " + x.name + " was founded"}, at);
  return ok(x.uuid);
}

apply_result state_machine::on(const register_node& x, unix_ms at) {
  auto& info = x.info;
  if (info.id == member_id::none || info.name.empty())
    return refuse(errc::invalid_field, "a node needs an id and a name", "name");
  if (auto i = state_.members.find(info.id);
      i != state_.members.end() && i->second.dismissed)
    return refuse(errc::conflict,
                  info.name + " (" + to_string(info.id)
                    + ") was removed: " + i->second.reason
                    + "; with an empty data directory it joins as a new node",
                  "id");
  // Through a member in between, it would get in where others can't talk to it.
  for (auto& [id, other] : state_.members)
    if (id != info.id && is_present(other.state)
        && !can_talk(info.protocol, other.info.protocol))
      return refuse(errc::incompatible,
                    fmt::format("{} has protocol version {}, but {} has {}; at "
                                "most one apart can be in a cluster",
                                info.name, info.protocol, other.info.name,
                                other.info.protocol),
                    "protocol version");
  for (auto& [id, other] : state_.members) {
    if (id == info.id || other.info.name != info.name || other.dismissed)
      continue;
    if (is_present(other.state))
      return refuse(errc::conflict,
                    "the name " + info.name + " belongs to another member",
                    "name");
    // A wrong name must not cost another node its seat.
    if (other.info.cluster != info.cluster)
      return refuse(
        errc::conflict,
        fmt::format("the name {} belongs to a member that is {}, at {}; if its "
                    "disk is lost, remove it first, else choose another "
                    "node.name",
                    info.name, to_string(other.state),
                    to_string(other.info.cluster)),
        "name");
    // It can't be at that address any more, so its disk is lost: a seat that
    // nobody can take again must not count.
    dismiss(other, "replaced by a node of the same name", at);
  }
  auto [i, is_new] = state_.members.try_emplace(info.id);
  auto& known = i->second;
  if (!is_new && info.incarnation < known.info.incarnation)
    return refuse(errc::conflict, info.name + " runs as a newer process",
                  "incarnation");
  auto restarted = !is_new && info.incarnation > known.info.incarnation;
  auto before = known.state;
  known.info = info;
  known.role = role_of(info.id);
  if (is_new || restarted || before != verdict::alive) {
    known.state = verdict::alive;
    known.reason = is_new ? "joined" : restarted ? "restarted" : "came back";
    known.reported_by = info.id;
    known.since = at;
    auto text = info.name + (is_new ? " joined" : " is back");
    if (before != verdict::alive)
      text += " (was " + std::string{to_string(before)} + ")";
    add_event(about_member(known, std::move(text)), at);
    if (auto difference = state_.different_routes(info.id); !difference.empty())
      add_event(about_member(known, std::move(difference), "warning"), at);
  }
  return ok();
}

apply_result state_machine::on(const set_verdict& x, unix_ms at) {
  auto i = state_.members.find(x.node);
  if (i == state_.members.end())
    return refuse(errc::not_found, "no member " + to_string(x.node), "node");
  auto& known = i->second;
  // A verdict on an earlier process says nothing about this one; and only the
  // node itself comes back from having left, by registering.
  if (x.incarnation != known.info.incarnation || x.state == known.state
      || known.state == verdict::left)
    return ok();
  auto text = known.info.name + " is " + std::string{to_string(x.state)}
              + " (was " + std::string{to_string(known.state)} + ")";
  if (!x.reason.empty())
    text += ": " + x.reason;
  if (auto by = state_.members.find(x.reported_by);
      by != state_.members.end() && by != i)
    text += ", says " + by->second.info.name;
  known.state = x.state;
  known.reason = x.reason;
  known.reported_by = x.reported_by;
  known.since = at;
  add_event(
    about_member(known, std::move(text), std::string{level_of(x.state)}), at);
  return ok();
}

apply_result state_machine::on(const dismiss_node& x, unix_ms at) {
  auto i = state_.members.find(x.node);
  if (i == state_.members.end())
    return refuse(errc::not_found, "no member " + to_string(x.node), "node");
  if (i->second.dismissed)
    return ok();
  auto left = count_quorum(
    state_,
    [&](auto& who) { return is_lasting_voter(who) && who.info.id != x.node; },
    [](auto& who) { return who.state == verdict::alive; });
  if (left.voters == 0)
    return refuse(errc::conflict, i->second.info.name + " is the last voter",
                  "node");
  if (!x.force && is_lasting_voter(i->second) && !left.reached())
    return refuse(errc::conflict,
                  fmt::format("without {} there is no quorum: of the {} voters "
                              "left {} must live and {} do",
                              i->second.info.name, left.voters, left.needed(),
                              left.alive),
                  "node");
  dismiss(i->second, x.reason, at);
  return ok();
}

void state_machine::dismiss(member& who, std::string reason, unix_ms at) {
  who.state = verdict::left;
  who.dismissed = true;
  who.reported_by = member_id::none;
  who.since = at;
  add_event(about_member(who,
                         who.info.name + " (" + to_string(who.info.id)
                           + ") was removed: " + reason,
                         "warning"),
            at);
  who.reason = std::move(reason);
}

apply_result state_machine::on(const recover_cluster& x, unix_ms at) {
  auto survivor = state_.members.find(x.survivor);
  if (survivor == state_.members.end())
    return refuse(errc::not_found, "no member " + to_string(x.survivor),
                  "survivor");
  std::string lost;
  for (auto& [id, who] : state_.members)
    if (id != x.survivor) {
      lost += (lost.empty() ? "" : ", ") + who.info.name;
      sessions_.erase(id);
    }
  std::erase_if(state_.members,
                [&](auto& entry) { return entry.first != x.survivor; });
  state_.cluster_uuid = x.uuid;
  auto& who = survivor->second;
  add_event(
    about_member(who,
                 "the cluster was recovered from " + who.info.name
                   + " alone; removed: " + (lost.empty() ? "nobody" : lost),
                 "error"),
    at);
  return ok(x.uuid);
}

apply_result state_machine::on(const forget_node& x, unix_ms at) {
  auto i = state_.members.find(x.node);
  if (i == state_.members.end())
    return refuse(errc::not_found, "no member " + to_string(x.node), "node");
  auto& known = i->second;
  if (is_present(known.state))
    return refuse(errc::conflict, known.info.name + " is "
                                    + std::string{to_string(known.state)});
  if (known.role != raft_role::none)
    return refuse(errc::conflict,
                  known.info.name + " still takes part in consensus");
  add_event(about_member(known, known.info.name + " was forgotten"), at);
  state_.members.erase(i);
  sessions_.erase(x.node);
  return ok();
}

// -- servers ------------------------------------------------------------------

apply_result state_machine::on(const add_server& x, unix_ms at) {
  if (x.service.empty() || x.host.empty())
    return refuse(errc::invalid_field, "a server needs a service and a host",
                  x.service.empty() ? "service" : "host");
  if (x.port == 0)
    return refuse(errc::invalid_field, "must be between 1 and 65535", "port");
  if (x.weight > max_weight)
    return refuse(errc::invalid_field, "must be at most 1000", "weight");
  if (state_.servers.size() >= max_catalog_servers)
    return refuse(errc::too_large,
                  "the cluster has " + std::to_string(max_catalog_servers)
                    + " servers, its limit; remove some",
                  "service");
  const endpoint where{canonical_host(x.host), x.port};
  for (auto& [id, other] : state_.servers)
    if (other.service == x.service && other.host == where.host
        && other.port == where.port)
      return refuse(errc::conflict,
                    to_string(where) + " is in " + x.service + " as " + id);
  for (auto& [id, member] : state_.members)
    if (same_endpoint(where, member.info.proxy))
      return refuse(errc::conflict,
                    to_string(where) + " is the proxy of node '"
                      + member.info.name
                      + "': requests would come back to the cluster",
                    "host");
  server added;
  added.id = "server-" + std::to_string(next_server_++);
  added.service = x.service;
  added.host = where.host;
  added.port = x.port;
  added.weight = x.weight;
  added.condition_since = at;
  added.added_at = at;
  add_event(
    about_server(added, describe_server(added) + " was added to " + x.service),
    at);
  auto id = added.id;
  state_.servers.emplace(id, std::move(added));
  return ok(id);
}

apply_result state_machine::on(const remove_server& x, unix_ms at) {
  auto i = state_.servers.find(x.id);
  if (i == state_.servers.end())
    return refuse(errc::not_found, "no server " + x.id, "serverId");
  add_event(about_server(i->second, describe_server(i->second)
                                      + " was removed from "
                                      + i->second.service),
            at);
  state_.servers.erase(i);
  return ok();
}

apply_result state_machine::on(const set_maintenance& x, unix_ms at) {
  auto i = state_.servers.find(x.id);
  if (i == state_.servers.end())
    return refuse(errc::not_found, "no server " + x.id, "serverId");
  auto& known = i->second;
  if (known.maintenance == x.maintenance)
    return ok();
  known.maintenance = x.maintenance;
  add_event(about_server(known, describe_server(known)
                                  + (x.maintenance ? " is in maintenance"
                                                   : " is back in traffic")),
            at);
  return ok();
}

apply_result state_machine::on(const set_health& x, unix_ms at) {
  auto i = state_.servers.find(x.id);
  if (i == state_.servers.end())
    return refuse(errc::not_found, "no server " + x.id, "serverId");
  auto& known = i->second;
  known.condition_reason = x.reason;
  if (known.condition == x.condition)
    return ok();
  auto text = describe_server(known) + " of " + known.service + " changed from "
              + std::string{to_string(known.condition)} + " to "
              + std::string{to_string(x.condition)};
  if (!x.reason.empty())
    text += ": " + x.reason;
  known.condition = x.condition;
  known.condition_since = at;
  add_event(about_server(known, std::move(text), "health",
                         x.condition == health::unhealthy ? "warning" : "info"),
            at);
  return ok();
}

// -- the rest -----------------------------------------------------------------

apply_result state_machine::on(const assign_slots& x, unix_ms at) {
  auto& table = x.table;
  if (table.epoch != state_.slots->epoch + 1)
    return refuse(errc::conflict,
                  "the slot table is at epoch "
                    + std::to_string(state_.slots->epoch),
                  "epoch");
  if (table.owner.size() != slot_count
      || std::any_of(table.owner.begin(), table.owner.end(),
                     [&](auto owner) { return owner >= table.nodes.size(); }))
    return refuse(errc::invalid_field, "every slot needs an owner", "owner");
  state_.slots = std::make_shared<const slot_table>(table);
  add_event({{},
             "cache",
             "cache",
             "slot table " + std::to_string(table.epoch) + ": "
               + std::to_string(slot_count) + " slots over "
               + std::to_string(table.nodes.size()) + " nodes"},
            at);
  return ok();
}

apply_result state_machine::on(const record_event& x, unix_ms at) {
  add_event(x.what, x.what.at != 0 ? x.what.at : at);
  return ok();
}

// -- keys ---------------------------------------------------------------------

apply_result state_machine::on(const put_key& x, unix_ms) {
  return keys_.put(x, state_.applied_index);
}

apply_result state_machine::on(const delete_key& x, unix_ms) {
  return keys_.erase(x);
}

apply_result state_machine::on(const append_to_key& x, unix_ms) {
  return keys_.append(x, state_.applied_index);
}

apply_result state_machine::on(const read_barrier&, unix_ms) {
  return ok();
}

raft_role state_machine::role_of(member_id id) const {
  auto i = roles_.find(id);
  return i == roles_.end() ? raft_role::none : i->second;
}

void state_machine::add_event(event what, unix_ms at) {
  what.id = "event-" + std::to_string(next_event_++);
  what.at = at;
  events_.push_back(std::move(what));
  if (events_.size() > max_events)
    events_.pop_front();
  shared_events_.reset();
}

} // namespace troupe

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <caf/actor_addr.hpp>
#include <caf/meta/type_name.hpp>

#include "messages/ids.hpp"
#include "messages/published.hpp"

// What the cluster agreed on: the catalog's replicated state, as every node
// reads it. Written only by `discovery/catalog/state_machine`.

namespace troupe {

/// Where a service of a node listens.
struct endpoint {
  std::string host;
  std::uint16_t port = 0;

  auto operator<=>(const endpoint&) const = default;
};

/// `host:port`, with brackets around an IPv6 address.
std::string to_string(const endpoint& where);

/// What a node says about itself when it joins.
struct node_info {
  member_id id = member_id::none;
  /// Unique in the cluster, chosen by the operator.
  std::string name;
  /// Grows with each start of the process; tells a restart from a hiccup.
  std::uint64_t incarnation = 0;
  std::string version;
  std::uint16_t protocol = protocol_version;
  endpoint api;
  endpoint cluster;
  endpoint proxy;
  endpoint resp;
  /// How many `cache_shard` actors it runs.
  std::uint32_t io_threads = 1;
  /// A digest of the settings by which its proxy chooses a service. 0: untold.
  std::uint64_t routes_digest = 0;
};

/// What the cluster holds a member to be.
enum class verdict : std::uint8_t { alive, suspect, down, left };

std::string_view to_string(verdict what);

/// A member's part in consensus. `none`: not in the Raft configuration.
enum class raft_role : std::uint8_t { none, standby, voter };

std::string_view to_string(raft_role what);

/// A node that is or was part of the cluster.
struct member {
  node_info info;
  verdict state = verdict::alive;
  /// Why the verdict was given, for people.
  std::string reason;
  /// The node that gave it.
  member_id reported_by = member_id::none;
  unix_ms since = 0;
  raft_role role = raft_role::none;
  /// An operator removed it, or another node took its name and address: it has
  /// no say any more and can't come back under this id.
  bool dismissed = false;
};

/// The result of health checks.
enum class health : std::uint8_t { unknown, healthy, unhealthy };

std::string_view to_string(health what);

/// A server behind the load balancer.
struct server {
  /// `server-N`, given by the catalog, never used again.
  std::string id;
  /// The pool it belongs to.
  std::string service;
  std::string host;
  std::uint16_t port = 0;
  /// 0 keeps it in the pool without traffic; at most 1000.
  std::uint32_t weight = 1;
  bool maintenance = false;
  health condition = health::unknown;
  std::string condition_reason;
  unix_ms condition_since = 0;
  unix_ms added_at = 0;
};

/// Which node owns which slots of the cache. Slot `s` belongs to
/// `nodes[owner[s]]`; empty until the first assignment.
struct slot_table {
  /// Grows with each assignment; travels with every cache message.
  std::uint64_t epoch = 0;
  std::vector<member_id> nodes;
  std::vector<std::uint16_t> owner;

  member_id owner_of(std::uint32_t slot) const {
    return slot < owner.size() ? nodes[owner[slot]] : member_id::none;
  }
};

/// Something that happened, as `GET /api/infrastructure/events` shows it.
struct event {
  /// `event-N`.
  std::string id;
  /// `cluster`, `health`, `loadbalancer`, `cache`, `supervisor`, `node`,
  /// `storage`.
  std::string type;
  /// The service, server or node it is about.
  std::string service;
  std::string message;
  /// `info`, `warning` or `error`.
  std::string level = "info";
  unix_ms at = 0;
};

/// The whole state. Large parts are shared between versions; a new version
/// copies only the parts that a command touched.
struct cluster_state {
  /// Random, made at bootstrap. Empty: there is no cluster yet.
  std::string cluster_uuid;
  std::string cluster_name;
  /// Raft index of the last command in it.
  std::uint64_t applied_index = 0;
  std::map<member_id, member> members;
  /// By server id.
  std::map<std::string, server> servers;
  std::shared_ptr<const slot_table> slots = std::make_shared<slot_table>();
  /// Newest last, bounded.
  std::shared_ptr<const std::deque<event>> events =
    std::make_shared<std::deque<event>>();

  // What this node knows of consensus; local, not replicated.
  /// This node is it only once it knows all that earlier leaders committed.
  member_id leader = member_id::none;
  std::uint64_t term = 0;
  /// Whether this node has applied something of the term it was in. Before, the
  /// state may be one of long ago: a new node passes through all that was.
  bool caught_up = false;

  /// The member of that name, or null.
  const member* find_member(std::string_view name) const;

  /// How the routes of `self` differ from those of the other members that are
  /// there, for people; empty if they don't. Routes are settings of each node:
  /// members that differ answer the same request differently.
  std::string different_routes(member_id self) const;
};

/// How everyone on a node reads the state without asking for it.
using cluster_view = std::shared_ptr<published<cluster_state>>;

/// To an actor that asked for it: the `cluster_view` has a newer state. Several
/// changes may have happened since.
struct state_changed {};

/// Sends `who` a `state_changed` after each change of `view`, while it lives.
void notify_of_changes(const cluster_view& view, const caf::actor_addr& who);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, state_changed&) {
  return f(caf::meta::type_name("state_changed"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, endpoint& x) {
  return f(caf::meta::type_name("endpoint"), x.host, x.port);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_info& x) {
  return f(caf::meta::type_name("node_info"), x.id, x.name, x.incarnation,
           x.version, x.protocol, x.api, x.cluster, x.proxy, x.resp,
           x.io_threads, x.routes_digest);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, member& x) {
  return f(caf::meta::type_name("member"), x.info, x.state, x.reason,
           x.reported_by, x.since, x.role, x.dismissed);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, server& x) {
  return f(caf::meta::type_name("server"), x.id, x.service, x.host, x.port,
           x.weight, x.maintenance, x.condition, x.condition_reason,
           x.condition_since, x.added_at);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slot_table& x) {
  return f(caf::meta::type_name("slot_table"), x.epoch, x.nodes, x.owner);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event& x) {
  return f(caf::meta::type_name("event"), x.id, x.type, x.service, x.message,
           x.level, x.at);
}

} // namespace troupe

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/meta/type_name.hpp>

#include "messages/cluster_state.hpp"
#include "messages/error.hpp"
#include "messages/keys.hpp"

// The commands that change the cluster's state. They stand in the Raft log, so
// each keeps its place in `command_body`, and fields are only ever appended.

namespace troupe {

/// First command of a cluster's log: names it for good.
struct create_cluster {
  std::string uuid;
  std::string name;
};

/// A node joins, or comes back with a new incarnation. Makes it `alive`.
/// Errors: conflict (the name is that of a live member, or of one elsewhere).
struct register_node {
  node_info info;
};

/// Gives a verdict on a member. Ignored when the member has a newer
/// incarnation than the one judged. Errors: not_found.
struct set_verdict {
  member_id node = member_id::none;
  std::uint64_t incarnation = 0;
  verdict state = verdict::alive;
  std::string reason;
  member_id reported_by = member_id::none;
};

/// Removes a member for good: it is `left`, loses its seat in consensus, and is
/// refused under this id from now on. Errors: not_found, conflict (it is the
/// last voter, or the voters that live would be no quorum any more).
struct dismiss_node {
  member_id node = member_id::none;
  std::string reason;
  /// Even when no quorum is left.
  bool force = false;
};

/// Forgets a member that is `down` or `left`. Errors: not_found, conflict.
struct forget_node {
  member_id node = member_id::none;
};

/// Servers of a cluster.
inline constexpr std::size_t max_catalog_servers = 10'000;

/// Adds a server to a pool; the result's value is its id. Errors: conflict
/// (host and port are in that pool already), too_large (`max_catalog_servers`).
struct add_server {
  std::string service;
  std::string host;
  std::uint16_t port = 0;
  std::uint32_t weight = 1;
};

/// Errors: not_found.
struct remove_server {
  std::string id;
};

/// Takes a server out of traffic, or back in. Errors: not_found.
struct set_maintenance {
  std::string id;
  bool maintenance = false;
};

/// A transition seen by the server's prober. Errors: not_found, conflict (the
/// proposing node is down or has left, so another one checks the server).
struct set_health {
  std::string id;
  health condition = health::unknown;
  std::string reason;
};

/// Replaces the slot table. Errors: conflict (the epoch is not the successor
/// of the current one: somebody was faster).
struct assign_slots {
  slot_table table;
};

/// Adds an event that is no side effect of another command.
struct record_event {
  event what;
};

/// The quorum was lost for good, and one node goes on alone (`troupe recover`):
/// all other members are removed, and the cluster has another id from now on.
/// Errors: not_found (the survivor is no member).
struct recover_cluster {
  std::string uuid;
  member_id survivor = member_id::none;
};

/// Changes nothing. Once it is applied on a node, the node has seen everything
/// that was acknowledged before it was proposed.
struct read_barrier {};

using command_body =
  std::variant<create_cluster, register_node, set_verdict, forget_node,
               add_server, remove_server, set_maintenance, set_health,
               assign_slots, record_event, put_key, delete_key, append_to_key,
               read_barrier, dismiss_node, recover_cluster>;

/// Makes a retried command apply once (Raft dissertation §6.3). `sequence`
/// counts the commands of one run of one node; everything below
/// `answered_below` was answered, so its result need not be kept. `process` is
/// a random number: two processes of a node may have the same incarnation when
/// its data directory was copied or restored.
struct request_id {
  member_id origin = member_id::none;
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;
  std::uint64_t answered_below = 0;
  std::uint64_t process = 0;
};

/// A log entry's content.
struct command {
  request_id id;
  /// Stamped by the proposer, so that applying is deterministic.
  unix_ms at = 0;
  command_body body;
  /// Fencing token: the command counts only where its entry has this Raft
  /// term, so what a leader decided has no effect under the next one. 0: any.
  std::uint64_t fence = 0;
};

/// What applying a command gave.
struct apply_result {
  /// 0, or an `errc`.
  std::uint8_t code = 0;
  std::string detail;
  std::string field;
  /// What the command made, for example a server's id.
  std::string value;
  /// Raft index at which it was applied.
  std::uint64_t index = 0;

  /// The result as an error; none when `code` is 0.
  caf::error failure() const;
};

/// That a command changed nothing, and why; `field` is the one at fault, if
/// any.
apply_result refuse(errc code, std::string detail, std::string field = {});

/// msgpack bytes with a leading version.
std::string encode(const command& what);

/// Errors: corrupt (not such bytes), incompatible (a newer version or an
/// unknown command).
caf::expected<command> decode_command(std::string_view bytes);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, create_cluster& x) {
  return f(caf::meta::type_name("create_cluster"), x.uuid, x.name);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, register_node& x) {
  return f(caf::meta::type_name("register_node"), x.info);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_verdict& x) {
  return f(caf::meta::type_name("set_verdict"), x.node, x.incarnation, x.state,
           x.reason, x.reported_by);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, forget_node& x) {
  return f(caf::meta::type_name("forget_node"), x.node);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, add_server& x) {
  return f(caf::meta::type_name("add_server"), x.service, x.host, x.port,
           x.weight);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, remove_server& x) {
  return f(caf::meta::type_name("remove_server"), x.id);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_maintenance& x) {
  return f(caf::meta::type_name("set_maintenance"), x.id, x.maintenance);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_health& x) {
  return f(caf::meta::type_name("set_health"), x.id, x.condition, x.reason);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, assign_slots& x) {
  return f(caf::meta::type_name("assign_slots"), x.table);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, record_event& x) {
  return f(caf::meta::type_name("record_event"), x.what);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, read_barrier&) {
  return f(caf::meta::type_name("read_barrier"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dismiss_node& x) {
  return f(caf::meta::type_name("dismiss_node"), x.node, x.reason, x.force);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, recover_cluster& x) {
  return f(caf::meta::type_name("recover_cluster"), x.uuid, x.survivor);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, request_id& x) {
  return f(caf::meta::type_name("request_id"), x.origin, x.incarnation,
           x.sequence, x.answered_below, x.process);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, command& x) {
  return f(caf::meta::type_name("command"), x.id, x.at, x.body, x.fence);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, apply_result& x) {
  return f(caf::meta::type_name("apply_result"), x.code, x.detail, x.field,
           x.value, x.index);
}

} // namespace troupe

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/typed_actor.hpp>

#include "messages/cluster_state.hpp"
#include "messages/command.hpp"
#include "messages/directory.hpp"

// What catalogs, memberships and peering actors tell each other.

namespace troupe {

/// Proposes a change of the cluster's state. Answered after commit and apply.
/// Local only: between nodes it travels as `forward_command`.
struct propose {
  command_body body;
  /// See `command::fence`: the term under which a leader decided this.
  std::uint64_t fence = 0;
};

/// A command on its way to the leader, already encoded, so that a retry keeps
/// its request id.
struct forward_command {
  std::string bytes;
};

/// A Raft message from one catalog to another.
struct raft_message_bytes {
  member_id from = member_id::none;
  std::string bytes;
};

/// A part of a Raft message that is too large for one.
struct raft_message_part {
  member_id from = member_id::none;
  /// Names the message among those of `from`.
  std::uint64_t transfer = 0;
  /// Of the whole message, and where this part stands in it, in bytes.
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::string bytes;
};

/// Starts a cluster of this one node. Errors: conflict (it has a log already).
struct bootstrap_cluster {
  std::string cluster_name;
};

/// Changes the Raft configuration: adds a member as stand-by, promotes it
/// (after it caught up), demotes it, or removes it with `raft_role::none`. Only
/// the leader answers; one change at a time. Errors: not_leader, conflict,
/// timed_out.
struct set_raft_role {
  member_id node = member_id::none;
  raft_role role = raft_role::none;
};

/// Hands leadership to an up-to-date voter. Answered once this node no longer
/// leads. Errors: not_leader, timed_out.
struct transfer_leadership {};

/// A session with a peer stands. `actors` are the peer's, by name.
struct peer_up {
  node_info info;
  actor_names actors;
};

/// The session ended. `refused` tells that a later attempt to connect was
/// refused by a live host: the process is gone.
struct peer_down {
  member_id id = member_id::none;
  std::uint64_t incarnation = 0;
  std::string reason;
  bool refused = false;
};

/// First message on a new connection, both ways. Both sides check it and log
/// why they refuse.
struct hello {
  node_info info;
  std::string cluster_name;
  /// Empty while the node belongs to no cluster.
  std::string cluster_uuid;
  /// Settings that must be the same on all nodes, by configuration path.
  std::map<std::string, std::string> shared_settings;
  /// The node's actors that others may talk to, by name.
  actor_names actors;
};

/// Addresses at which a peer source found nodes.
struct peer_candidates {
  std::string source;
  std::vector<endpoint> addresses;
};

/// Whom a node without cluster follows in founding one, or, where that does not
/// bind it, would follow.
struct pledge {
  member_id voter = member_id::none;
  member_id to = member_id::none;
  bool binding = false;
};

/// Asks a node without cluster whether it would follow `founder` in founding
/// one, or, binding, to pledge to it, durably: so two founders can't both
/// gather `cluster.expectedNodes` pledges.
struct pledge_request {
  node_info founder;
  std::string cluster_name;
  bool binding = false;
  /// Those that the founder has. Who follows one of their voters follows the
  /// founder from now on.
  std::vector<pledge> pledges;
};

/// Asks a member to take that node in. Passed on to the leader, once: two that
/// take each other for the leader would pass it to and fro.
struct join_request {
  node_info info;
  bool passed_on = false;
};

/// Asks the leader to mark the sender `left` and take it out of consensus.
struct leave_request {
  member_id id = member_id::none;
  std::uint64_t incarnation = 0;
};

/// A member asks the leader for the right to go on acting on its roles (slots,
/// checks). Errors: not_leader, conflict (it is down or left, or runs as a
/// newer process).
struct renew_lease {
  member_id id = member_id::none;
  std::uint64_t incarnation = 0;
};

struct lease_grant {
  /// The leader's term.
  std::uint64_t term = 0;
  /// From when the request was sent. Nobody else gets the roles before.
  std::int64_t duration_ms = 0;
  /// Why the member was removed for good; empty: it was not. Any member tells
  /// that, because nobody else does once the seat in consensus is gone.
  std::string dismissed_for;
};

/// What comes of trying to reach a member.
enum class reach : std::uint8_t {
  reachable,
  /// Its host lives, but nobody listens at its address.
  refused,
  silent,
};

/// Asks a member to try to reach another one (SWIM's indirect probe).
struct probe_request {
  member_id about = member_id::none;
  std::uint64_t incarnation = 0;
};

/// To the leader: asked for, or because a link was lost.
struct probe_report {
  member_id reporter = member_id::none;
  member_id about = member_id::none;
  std::uint64_t incarnation = 0;
  reach found = reach::silent;
};

/// Asks a membership whether it is there; answered with its incarnation.
struct ping {};

struct pong {
  std::uint64_t incarnation = 0;
};

/// From a peering actor that starts: no session stands but those that it tells
/// of from now on. Local only.
struct sessions_reset {};

/// Actor-to-self: periodic work.
struct tick {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, forward_command& x) {
  return f(caf::meta::type_name("forward_command"), x.bytes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, raft_message_bytes& x) {
  return f(caf::meta::type_name("raft_message_bytes"), x.from, x.bytes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, raft_message_part& x) {
  return f(caf::meta::type_name("raft_message_part"), x.from, x.transfer,
           x.size, x.offset, x.bytes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, bootstrap_cluster& x) {
  return f(caf::meta::type_name("bootstrap_cluster"), x.cluster_name);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_raft_role& x) {
  return f(caf::meta::type_name("set_raft_role"), x.node, x.role);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, transfer_leadership&) {
  return f(caf::meta::type_name("transfer_leadership"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_up& x) {
  return f(caf::meta::type_name("peer_up"), x.info, x.actors);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_down& x) {
  return f(caf::meta::type_name("peer_down"), x.id, x.incarnation, x.reason,
           x.refused);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hello& x) {
  return f(caf::meta::type_name("hello"), x.info, x.cluster_name,
           x.cluster_uuid, x.shared_settings, x.actors);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_candidates& x) {
  return f(caf::meta::type_name("peer_candidates"), x.source, x.addresses);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pledge_request& x) {
  return f(caf::meta::type_name("pledge_request"), x.founder, x.cluster_name,
           x.binding, x.pledges);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pledge& x) {
  return f(caf::meta::type_name("pledge"), x.voter, x.to, x.binding);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, join_request& x) {
  return f(caf::meta::type_name("join_request"), x.info, x.passed_on);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, leave_request& x) {
  return f(caf::meta::type_name("leave_request"), x.id, x.incarnation);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, renew_lease& x) {
  return f(caf::meta::type_name("renew_lease"), x.id, x.incarnation);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, lease_grant& x) {
  return f(caf::meta::type_name("lease_grant"), x.term, x.duration_ms,
           x.dismissed_for);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, probe_request& x) {
  return f(caf::meta::type_name("probe_request"), x.about, x.incarnation);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, probe_report& x) {
  return f(caf::meta::type_name("probe_report"), x.reporter, x.about,
           x.incarnation, x.found);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ping&) {
  return f(caf::meta::type_name("ping"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pong& x) {
  return f(caf::meta::type_name("pong"), x.incarnation);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sessions_reset&) {
  return f(caf::meta::type_name("sessions_reset"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tick&) {
  return f(caf::meta::type_name("tick"));
}

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::propose)

namespace troupe {

/// The part of the catalog that those need who change the cluster's state; it
/// is in the directory as `catalog`. Answers after commit and local apply.
/// Errors: no_quorum.
using proposer_actor =
  caf::typed_actor<caf::replies_to<propose>::with<apply_result>>;

} // namespace troupe

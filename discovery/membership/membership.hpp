#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <caf/typed_actor.hpp>

#include "discovery/identity/identity.hpp"
#include "discovery/membership/verdicts.hpp"
#include "messages/directory.hpp"
#include "messages/lease.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Gets this node into a cluster (founds one or joins), keeps its lease, and on
/// the leader decides who is alive and who votes. Everything it decides is a
/// command in the catalog.
using membership_actor = caf::typed_actor<
  caf::reacts_to<peer_up>, caf::reacts_to<peer_down>,
  caf::reacts_to<sessions_reset>,
  /// A founder asks for this node's pledge.
  caf::replies_to<pledge_request>::with<pledge>,
  /// A node asks to be taken in; answered when it is registered.
  /// Errors: no_quorum (no cluster here either, or no leader), conflict.
  caf::replies_to<join_request>::with<done>,
  /// From the node itself: hands over leadership and asks the leader. At the
  /// leader: answered when the node is marked and has no more say than it
  /// should. Errors: no_quorum, conflict (it is the last voter).
  caf::replies_to<leave_request>::with<done>,
  /// At the leader. Errors: not_leader, conflict.
  caf::replies_to<renew_lease>::with<lease_grant>,
  /// The leader has doubts about a member. Answered after a try to reach it.
  caf::replies_to<probe_request>::with<probe_report>,
  /// At the leader: a member lost its link to another one.
  caf::reacts_to<probe_report>, caf::replies_to<ping>::with<pong>,
  caf::reacts_to<state_changed>,
  caf::reacts_to<tick>>::extend_with<status_protocol>;

struct membership_config {
  node_info self;
  std::string cluster_name;
  /// Nodes that must meet before a cluster is founded.
  std::uint32_t expected_nodes = 1;
  std::uint32_t max_voters = 5;
  verdict_timers timers;
  std::uint64_t seed = 0;
  /// An operator removed this node from the cluster: it should end.
  std::function<void()> on_dismissed = [] {};
};

/// What a membership shares with the rest of its node.
struct membership_sources {
  cluster_view view;
  directory_ptr names;
  std::shared_ptr<identity> own_identity;
  /// Held while this node is the only one that can lead; read here.
  lease_ptr leadership;
  /// Held while this node may act on its roles; written here.
  lease_ptr roles;
  /// Why this node is no member that may act, as far as it knows, and what
  /// would help; empty when it is one. Written here.
  std::shared_ptr<published<std::string>> obstacle =
    std::make_shared<published<std::string>>();
};

membership_actor spawn_membership(caf::actor_system& system,
                                  membership_config config,
                                  membership_sources sources);

} // namespace troupe

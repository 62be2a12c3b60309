#include "discovery/catalog/catalog.hpp"

#include <utility>

#include "discovery/catalog/catalog_state.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

catalog_actor::behavior_type catalog(catalog_state::pointer self,
                                     catalog_config config, raft_log_actor log,
                                     cluster_view view, lease_ptr leadership,
                                     log_disk_ptr disk) {
  outlive_strays(self);
  self->set_down_handler([=](const caf::down_msg& x) {
    if (x.source == log)
      self->state.on_log_down(x.reason);
  });
  if (auto invalid = config.validate()) {
    self->quit(std::move(invalid));
    return catalog_actor::behavior_type::make_empty_behavior();
  }
  self->state.start(std::move(config), std::move(log), std::move(view),
                    std::move(leadership), std::move(disk));
  return {
    [=](propose& x) { return self->state.on_propose(x); },
    [=](const read_key& x) { return self->state.on_read(x); },
    [=](const list_keys& x) { return self->state.on_list(x); },
    [=](forward_command& x) { return self->state.on_forward(x); },
    [=](const raft_message_bytes& x) { self->state.on_raft(x); },
    [=](const raft_message_part& x) { return self->state.on_part(x); },
    [=](const bootstrap_cluster& x) { return self->state.on_bootstrap(x); },
    [=](const set_raft_role& x) { return self->state.on_set_role(x); },
    [=](transfer_leadership) { return self->state.on_transfer(); },
    [=](const peer_up& x) { self->state.on_peer_up(x); },
    [=](const peer_down& x) { self->state.on_peer_down(x); },
    [=](sessions_reset) { self->state.on_sessions_reset(); },
    [=](tick) { self->state.on_tick(); },
    [=](get_status) { return self->state.status(); },
  };
}

} // namespace

caf::error catalog_config::validate() const {
  if (self.id == member_id::none || self.name.empty())
    return make_error(errc::invalid_field, "a node needs an id and a name",
                      "node.name");
  if (heartbeat.count() <= 0 || election_timeout < 2 * heartbeat)
    return make_error(errc::invalid_field,
                      "must be at least twice the heartbeat",
                      "cluster.electionTimeout");
  if (propose_deadline < election_timeout)
    return make_error(errc::invalid_field,
                      "must be at least the election timeout",
                      "cluster.proposeDeadline");
  if (snapshot_threshold == 0)
    return make_error(errc::invalid_field, "must be at least 1",
                      "cluster.snapshotThreshold");
  return caf::none;
}

catalog_actor spawn_catalog(caf::actor_system& system, catalog_config config,
                            raft_log_actor log, cluster_view view,
                            lease_ptr leadership, log_disk_ptr disk) {
  return system.spawn(catalog, std::move(config), std::move(log),
                      std::move(view), std::move(leadership), std::move(disk));
}

} // namespace troupe

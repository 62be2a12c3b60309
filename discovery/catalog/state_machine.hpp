#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <caf/error.hpp>

#include "discovery/catalog/key_store.hpp"
#include "discovery/catalog/sessions.hpp"
#include "discovery/raft/raft_configuration.hpp"
#include "messages/cluster_state.hpp"
#include "messages/command.hpp"

namespace troupe {

/// The replicated state and how each command changes it. Deterministic: the
/// same log gives the same state on every node, without clock or randomness.
/// Refuses what would break an invariant, with a result and no change.
class state_machine {
public:
  /// Applies a committed command; `term` is its entry's. One that was applied
  /// before changes nothing and gives its first result again.
  apply_result apply(const command& what, std::uint64_t index,
                     std::uint64_t term);

  /// Applies a committed Raft configuration: it sets the members' roles.
  void apply_configuration(const raft_configuration_servers& servers,
                           std::uint64_t index);

  /// Passes an entry without effect (a barrier).
  void skip(std::uint64_t index) { state_.applied_index = index; }

  /// The state now; its shared parts never change afterwards.
  cluster_state state() const;

  const key_store& keys() const { return keys_; }

  const std::string& cluster_uuid() const { return state_.cluster_uuid; }

  std::uint64_t applied_index() const { return state_.applied_index; }

  /// Everything, as msgpack bytes with a leading version.
  std::string snapshot() const;

  /// Becomes what `snapshot` saved. Errors: corrupt, incompatible (a newer
  /// version); the state is unchanged then.
  caf::error restore(std::string_view bytes);

private:
  // One per alternative of `command_body`.
  apply_result on(const create_cluster& x, unix_ms at);
  apply_result on(const register_node& x, unix_ms at);
  apply_result on(const set_verdict& x, unix_ms at);
  apply_result on(const forget_node& x, unix_ms at);
  apply_result on(const dismiss_node& x, unix_ms at);
  apply_result on(const add_server& x, unix_ms at);
  apply_result on(const remove_server& x, unix_ms at);
  apply_result on(const set_maintenance& x, unix_ms at);
  apply_result on(const set_health& x, unix_ms at);
  apply_result on(const assign_slots& x, unix_ms at);
  apply_result on(const record_event& x, unix_ms at);
  apply_result on(const put_key& x, unix_ms at);
  apply_result on(const delete_key& x, unix_ms at);
  apply_result on(const append_to_key& x, unix_ms at);
  apply_result on(const read_barrier& x, unix_ms at);
  apply_result on(const recover_cluster& x, unix_ms at);

  /// Why a command has no effect: who decided it was no longer entitled to.
  std::optional<apply_result> fenced_off(const command& what,
                                         std::uint64_t term) const;
  raft_role role_of(member_id id) const;
  void dismiss(member& who, std::string reason, unix_ms at);
  void add_event(event what, unix_ms at);

  cluster_state state_;
  std::deque<event> events_;
  /// The events as last handed out; null once there are newer ones.
  mutable std::shared_ptr<const std::deque<event>> shared_events_;
  /// Of the last configuration; a member may join consensus before it
  /// registers.
  std::map<member_id, raft_role> roles_;
  std::uint64_t next_server_ = 1;
  std::uint64_t next_event_ = 1;
  sessions sessions_;
  key_store keys_;
};

} // namespace troupe

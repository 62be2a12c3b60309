#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <caf/all.hpp>

#include "discovery/catalog/catalog.hpp"
#include "discovery/catalog/log_queue.hpp"
#include "discovery/catalog/proposal_table.hpp"
#include "discovery/catalog/state_machine.hpp"
#include "discovery/raft/parted_message.hpp"
#include "discovery/raft/raft_engine.hpp"

namespace troupe {

/// The catalog's body: carries out what the Raft engine asks for, and feeds the
/// state machine. Each event ends with `settle`.
class catalog_state {
public:
  using pointer = catalog_actor::stateful_pointer<catalog_state>;
  using result_promise = caf::typed_response_promise<apply_result>;
  using done_promise = caf::typed_response_promise<done>;

  static inline const char* name = "catalog";

  explicit catalog_state(pointer self) : self_(self) {}

  void start(catalog_config config, raft_log_actor log, cluster_view view,
             lease_ptr leadership, log_disk_ptr disk);

  // -- messages ---------------------------------------------------------------

  caf::result<apply_result> on_propose(propose& x);
  caf::result<catalog_value> on_read(const read_key& x) const;
  key_list on_list(const list_keys& x) const;
  caf::result<apply_result> on_forward(forward_command& x);
  void on_raft(const raft_message_bytes& x);
  caf::result<done> on_part(const raft_message_part& x);
  caf::result<done> on_bootstrap(const bootstrap_cluster& x);
  caf::result<done> on_set_role(const set_raft_role& x);
  caf::result<done> on_transfer();
  void on_peer_up(const peer_up& x);
  void on_peer_down(const peer_down& x);
  void on_sessions_reset();
  void on_tick();
  void on_log_down(const caf::error& reason);
  actor_status status() const;

private:
  /// A change of a member's role on its way.
  struct role_change {
    set_raft_role what;
    /// Until the member has caught up.
    bool catching_up = false;
    /// Index of the configuration entry; 0 until it can be appended.
    std::uint64_t index = 0;
    done_promise done;
  };

  /// The log's disk is full, or does not answer.
  struct disk_trouble {
    raft_time since;
    /// From then on this node neither sends heartbeats nor runs for leader.
    raft_time silent_from;
  };

  raft_time now() const;
  std::uint32_t next_seed();

  // What the engine asks for.
  void load(log_contents contents);
  void act(caf::expected<raft_update> update);
  void persist(std::uint64_t write_id, log_write write);
  caf::error decode_snapshot(const log_snapshot& x);
  caf::error restore(const log_snapshot& x);
  bool is_session_of(member_id from) const;
  void tell_of_loss(const lost_entries& x);
  void send_durable();
  void send(raft_outgoing message);
  void send_parts(member_id to);
  /// One that is lost ends its transfer.
  void part_ended(member_id to, std::uint64_t transfer, bool arrived);
  void end_transfer(member_id to);
  void apply_committed();
  void apply_command(const log_entry& entry, std::uint64_t index);
  void follow_leader();
  void resign();
  void fatal(caf::error reason);

  // The disk (catalog_disk.cpp).
  std::string trouble_of_disk() const;
  void watch_disk();
  void begin_disk_trouble(std::string what);
  void end_disk_trouble();
  void tell_of_disk(const char* level, std::string text);
  bool is_silent() const;
  /// The disk is behind by so much that it gets no more.
  bool is_backlogged() const;
  bool leads() const { return engine_->leads() && !disk_trouble_; }

  /// After every event: what is due by now.
  void settle();
  void snapshot_if_due();
  void save(log_position where);
  void submit_waiting();
  void advance_role_change();
  void finish_transfer();
  void try_proposals();
  void publish();
  void renew_lease();
  void arm_timer();

  // Commands and membership.
  void propose_body(propose what, proposal_table::callback done);
  request_id next_id();
  std::string stamp(command_body body);
  void try_at(catalog_actor leader, const proposal_table::attempt& x);
  void found_cluster(const std::string& cluster_name, done_promise done);
  raft_configuration_servers with_role(const set_raft_role& x) const;
  member_id next_leader() const;
  void submit_role(role_change& change);
  caf::error not_committed() const;

  pointer self_;
  catalog_config config_;
  raft_log_actor log_;
  cluster_view view_;
  lease_ptr leadership_;
  log_disk_ptr disk_;
  log_queue queue_;
  std::optional<disk_trouble> disk_trouble_;
  std::optional<raft_engine> engine_;
  state_machine machine_;
  /// What a snapshot held that came in, by its index, until it is durable.
  std::optional<std::pair<std::uint64_t, state_machine>> arrived_;
  std::map<member_id, catalog_actor> peers_;
  bool stopped_ = false;
  bool changed_ = true;
  /// Has applied something of a term it was in.
  bool caught_up_ = false;
  /// Of entries applied since the last snapshot.
  std::uint64_t bytes_since_snapshot_ = 0;
  /// A snapshot is being made.
  bool saving_ = false;
  raft_time next_save_{0};

  // Messages leave in order, once the last change of term or vote before them
  // is durable.
  struct held_message {
    std::uint64_t after_write = 0;
    raft_outgoing what;
  };
  std::deque<held_message> outbox_;
  std::uint64_t last_hard_state_write_ = 0;
  std::uint64_t durable_write_ = 0;

  // Large messages on their way, one to each peer and one from each.
  std::map<member_id, parted_message> transfers_;
  std::map<member_id, part_collector> arriving_;
  std::uint64_t next_transfer_ = 1;

  // As leader: commands for the next batch, the end of the current one, and
  // who waits for commands of other nodes.
  std::vector<std::string> waiting_;
  std::uint64_t batch_end_ = 0;
  using command_key = std::tuple<member_id, std::uint64_t, std::uint64_t>;
  static command_key key_of(const request_id& id) {
    return {id.origin, id.process, id.sequence};
  }
  std::multimap<command_key, result_promise> forwarded_;
  std::optional<role_change> role_change_;
  std::optional<done_promise> transfer_;

  std::optional<proposal_table> proposals_;
  /// As last acted upon.
  member_id leader_ = member_id::none;
  bool led_ = false;
  std::optional<raft_time> armed_;
};

} // namespace troupe

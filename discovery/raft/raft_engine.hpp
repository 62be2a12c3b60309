#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "discovery/raft/quorum_contact.hpp"
#include "discovery/raft/raft_configuration.hpp"
#include "discovery/raft/raft_log.hpp"
#include "discovery/raft/raft_message.hpp"
#include "discovery/raft/recent_entries.hpp"

struct raft_core;
struct raft_core_message;

namespace troupe {

/// Time since the clock's epoch; which clock is the caller's choice.
using raft_time = std::chrono::milliseconds;

/// What a leader may count on: that a quorum had heard from it at `since`, and
/// therefore elects nobody else before `end`.
struct leader_lease {
  raft_time since;
  raft_time end;
};

/// Where a snapshot stands in the log: behind the entry `index` of `term`,
/// under the configuration that counts there.
struct log_position {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::string configuration;
  std::uint64_t configuration_index = 0;
};

struct raft_engine_config {
  member_id self = member_id::none;
  std::chrono::milliseconds heartbeat{50};
  std::chrono::milliseconds election_timeout{300};
  /// Entries kept in memory and log behind a snapshot, and bytes of them.
  std::uint32_t snapshot_trailing = 1024;
  std::uint64_t snapshot_trailing_bytes = 4 << 20;
  /// A message with more bytes is large; see `raft_engine::occupied`.
  std::uint64_t max_message_bytes = 1 << 20;
  std::uint32_t seed = 1;
  /// Why a peer's snapshot, or the bytes of its command, can't be read. What is
  /// unreadable must not get to the disk: no restart would get past it.
  std::function<caf::error(const log_snapshot&)> check_snapshot =
    [](const log_snapshot&) { return caf::error{}; };
  std::function<caf::error(const std::string&)> check_command =
    [](const std::string&) { return caf::error{}; };
};

/// Entries that a member had acknowledged and has not any more.
struct lost_entries {
  member_id who = member_id::none;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

enum class raft_state : std::uint8_t { follower, candidate, leader };

/// A message on its way to a peer, encoded.
struct raft_outgoing {
  member_id to = member_id::none;
  std::string bytes;
};

/// What an event asks the caller to do. First of all it writes `to_write()`;
/// messages may leave before that is durable unless `hard_state_changed`, and
/// never before those of earlier updates.
struct raft_update {
  /// Names this update's write in `raft_engine::persisted`; 0 when there is
  /// nothing to write.
  std::uint64_t write_id = 0;
  log_write write;
  /// Term or vote changed.
  bool hard_state_changed = false;
  std::vector<raft_outgoing> messages;
  /// Follower, candidate or leader since.
  bool state_changed = false;
  /// `raft_engine::commit_index` moved: apply up to there.
  bool commit_changed = false;
  /// The state machine starts over from this snapshot (then applies what was
  /// committed behind it).
  std::shared_ptr<const log_snapshot> restored;
  /// The leader found that a follower lost them, or this follower heard that
  /// from its leader. It gets them again.
  std::optional<lost_entries> lost;
};

/// One member of a Raft cluster without clock, disk or network: it owns
/// libraft's core, takes events and says what to do. Keeps the log's tail in
/// memory. An error other than the documented ones of a call means that the
/// log and the cluster contradict each other: fatal for the node.
class raft_engine {
public:
  explicit raft_engine(const raft_engine_config& config);
  raft_engine(raft_engine&&) noexcept;
  raft_engine& operator=(raft_engine&&) noexcept;
  ~raft_engine();

  // -- events -----------------------------------------------------------------

  /// Goes on from what was persisted; the first event.
  caf::expected<raft_update> start(raft_time now, log_contents contents);

  /// A message came. Errors: corrupt, incompatible (the message is dropped and
  /// nothing changed); conflict (a leader contradicts what is committed here:
  /// somebody's disk lost what it had acknowledged, and this node must stop).
  caf::expected<raft_update> receive(raft_time now, member_id from,
                                     std::string_view bytes);

  /// The write of that update is durable. Writes complete in order.
  caf::expected<raft_update> persisted(raft_time now, std::uint64_t write_id);

  /// `next_timeout` has passed.
  caf::expected<raft_update> timeout(raft_time now);

  /// Appends commands. Errors: not_leader.
  caf::expected<raft_update> submit(raft_time now,
                                    std::vector<std::string> commands);

  /// Appends a configuration; it counts from now on. Errors: not_leader,
  /// conflict (another change is under way, or `has_committed_in_term` says
  /// no), internal (`may_follow` says no).
  caf::expected<raft_update>
  submit_configuration(raft_time now,
                       const raft_configuration_servers& servers);

  /// Replaces the log up to `where`, the `commit_position` of then, by the
  /// state that applying it gave. Errors: conflict (a snapshot is being
  /// installed, or one reaches as far already).
  caf::expected<raft_update> take_snapshot(raft_time now, log_position where,
                                           std::string state);

  /// Starts to bring a stand-by that `is_up_to_date` denies up to date; see
  /// `catch_up_state_of`.
  /// Errors: not_leader, not_found, conflict (a change is under way).
  caf::expected<raft_update> catch_up(raft_time now, member_id id);

  /// Hands leadership to `to`, or to the best voter. Errors: not_leader,
  /// not_found (no other voter).
  caf::expected<raft_update> transfer(raft_time now,
                                      member_id to = member_id::none);

  /// A large message is on its way to a peer, which Raft would only repeat with
  /// each answer: meanwhile no snapshot is sent there, and no entries that
  /// would make another large message.
  void occupied(member_id peer, bool is);

  // -- state ------------------------------------------------------------------

  raft_state state() const;
  bool leads() const { return state() == raft_state::leader; }
  /// The leader as far as known; none during a transfer.
  member_id leader() const;
  std::uint64_t term() const;
  std::uint64_t commit_index() const;
  /// The same, or what was known to be committed before a restart.
  std::uint64_t known_commit() const;
  std::uint64_t last_index() const { return recent_.last_index(); }
  /// What this node acknowledged or knows others to have committed. While its
  /// log ends before that, it elects nobody and is not elected: with less than
  /// it had, its vote could make a leader that lacks what was committed.
  std::uint64_t owed() const { return owed_; }
  /// `commit_index` as a place for a snapshot; nothing where one can't be taken
  /// now.
  std::optional<log_position> commit_position() const;
  raft_time next_timeout() const;

  /// While no other node can lead, as far as this leader knows; nothing for a
  /// node that does not lead or hands leadership over. Clocks may drift apart
  /// by a tenth.
  std::optional<leader_lease> lease(raft_time now) const;

  /// Whether an entry of this leader's own term is committed. Before, a quorum
  /// of a configuration that an earlier leader left behind may still elect
  /// somebody else, so the configuration must not change (Ongaro, "bug in
  /// single-server membership changes", raft-dev 2015).
  bool has_committed_in_term() const;

  bool transferring() const;
  /// Whether a configuration change or a catch-up is under way.
  bool changing() const;

  /// Whether this leader knows that `id` has its whole log.
  bool is_up_to_date(member_id id) const;

  enum class catch_up_state : std::uint8_t { none, running, aborted, finished };
  catch_up_state catch_up_state_of(member_id id) const;

  /// The newest configuration, committed or not.
  raft_configuration_servers configuration() const;

  /// The entry at `index`, or null when it is behind the snapshot.
  const log_entry* entry(std::uint64_t index) const {
    return recent_.at(index);
  }

  /// The term of the entry at `index`, also where the snapshot ends; 0 when it
  /// is unknown.
  std::uint64_t term_at(std::uint64_t index) const;

  /// The newest snapshot, or null.
  const std::shared_ptr<const log_snapshot>& snapshot() const {
    return snapshot_;
  }

  /// Payload bytes of the log's tail in memory.
  std::size_t log_bytes() const { return recent_.bytes(); }

private:
  struct core_deleter {
    void operator()(raft_core* core) const;
  };

  /// What counts only in a term that this node leads.
  struct own_term {
    std::uint64_t term = 0;
    quorum_contact contact;
    /// Up to where each follower was told that the log is committed.
    std::map<member_id, std::uint64_t> told_commit;
    /// Up to where each follower has acknowledged the log, and when it did.
    struct acknowledgement {
      std::uint64_t index = 0;
      raft_time at{0};
    };
    std::map<member_id, acknowledgement> acknowledged;
  };

  /// Entries handed to the disk and not yet known to be there.
  struct pending_write {
    std::uint64_t id = 0;
    /// Empty when `last < first`: the entries were truncated meanwhile.
    std::uint64_t first = 1;
    std::uint64_t last = 0;
    bool installs = false;
  };

  /// Begins an event at `now`, for the core.
  std::uint64_t at(raft_time now);
  caf::error failure(int code) const;
  bool may_vote(raft_time now, const request_vote& x) const;
  bool takes_part(member_id who) const;
  caf::error check_sender(member_id from, const raft_message& what) const;
  caf::error check_commands(const append_entries& x) const;
  own_term& leading();
  void note_leader(std::uint64_t term, std::uint64_t sent_at_ms);
  void note_answer(member_id from, const append_entries_result& x);
  void note_owed(const append_entries& x, raft_update& out);
  bool has_lost(member_id from, const append_entries_result& x) const;
  caf::error contradicts(member_id leader, std::uint64_t index,
                         std::uint64_t term) const;
  caf::error check_committed(member_id from, const append_entries& x) const;
  caf::error receive_one(raft_time now, member_id from, append_entries& x,
                         raft_update& out);
  caf::error receive_one(raft_time now, member_id from,
                         const append_entries_result& x, raft_update& out);
  caf::error receive_one(raft_time now, member_id from, const request_vote& x,
                         raft_update& out);
  caf::error receive_one(raft_time now, member_id from,
                         const request_vote_result& x, raft_update& out);
  caf::error receive_one(raft_time now, member_id from, install_snapshot& x,
                         raft_update& out);
  caf::error receive_one(raft_time now, member_id from, const timeout_now& x,
                         raft_update& out);
  /// Lets the core take a step with a message.
  caf::error give(raft_time now, const raft_core_message& message,
                  raft_update& out);
  void collect(raft_update& out, std::vector<log_entry>* given = nullptr,
               std::uint64_t given_index = 0);
  void collect_entries(raft_update& out, std::vector<log_entry>* given,
                       std::uint64_t given_index);
  void collect_messages(raft_update& out);
  void complete(append_entries& message, const raft_core_message& asked,
                std::uint64_t max_bytes);
  void spread_commit(raft_update& out);
  caf::error commit(raft_time now, raft_update& out);
  caf::error append(raft_time now, std::vector<log_entry> entries,
                    raft_update& out);
  caf::error begin_term(raft_time now, raft_update& out);
  unsigned trailing_entries(std::uint64_t index) const;
  caf::expected<raft_update> submit_entries(raft_time now,
                                            std::vector<log_entry> entries);
  /// What a step of the core, which returned `code`, asks for.
  caf::expected<raft_update> after_step(int code);
  caf::expected<raft_update> finish(raft_update out, bool hard_state = false);

  raft_engine_config config_;
  raft_time now_{0};
  /// No votes before this: a lease that this node helped to extend before it
  /// restarted may still be held.
  raft_time votes_from_{0};
  std::uint64_t restored_commit_ = 0;
  std::uint64_t owed_ = 0;
  std::uint64_t written_owed_ = 0;
  /// The last term in which this leader began to hand over.
  std::uint64_t transferred_term_ = 0;
  own_term leading_;
  std::set<member_id> occupied_;
  /// What the leader of `heard_term_` said last of its clock.
  std::uint64_t heard_at_ms_ = 0;
  std::uint64_t heard_term_ = 0;
  /// When a member that this node knows led last, or it started.
  raft_time known_led_at_{0};
  std::unique_ptr<raft_core, core_deleter> core_;
  recent_entries recent_;
  std::shared_ptr<const log_snapshot> snapshot_;
  /// The last committed configuration, for the next snapshot.
  std::string configuration_;
  std::uint64_t configuration_index_ = 0;
  /// Configurations up to here were reported to the core as committed.
  std::uint64_t committed_ = 0;
  /// Received and not yet durable.
  std::shared_ptr<const log_snapshot> installing_;
  std::deque<pending_write> pending_;
  std::uint64_t next_write_id_ = 1;
};

} // namespace troupe

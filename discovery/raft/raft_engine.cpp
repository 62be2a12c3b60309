#include "discovery/raft/raft_engine.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "discovery/raft/core_messages.hpp"
#include "discovery/raft/raft_core.h"
#include "messages/error.hpp"

namespace troupe {

namespace {

/// How much a follower may lag before the leader waits for its answers.
constexpr unsigned max_inflight_entries = 512;

/// After that an unanswered snapshot is sent again. libraft's 30 s would leave
/// a follower behind for that long when the leader took a newer one meanwhile.
constexpr unsigned install_snapshot_ms = 5000;

/// Terms grow by one with each election, and by none while a node is cut off,
/// because it asks for pre-votes: with an election each minute it takes two
/// years to fall behind by so many. One message must not use up the numbers
/// that a cluster has.
constexpr std::uint64_t max_term_leap = 1 << 20;

/// For so many election timeouts after a known member led, nobody else is
/// heard.
constexpr int strangers_wait = 10;

/// The configuration that the core will start with: the log's last one.
raft_configuration_servers last_configuration(const log_contents& contents) {
  std::string_view bytes;
  if (contents.snapshot)
    bytes = contents.snapshot->configuration;
  for (auto& entry : contents.entries)
    if (entry.kind == entry_kind::change)
      bytes = entry.bytes;
  return decode_configuration(bytes).value_or(raft_configuration_servers{});
}

std::uint64_t id_of(member_id who) {
  return static_cast<std::uint64_t>(who);
}

/// Cuts before each configuration entry but the first one.
std::vector<append_entries> split_at_changes(append_entries& x) {
  std::vector<append_entries> parts;
  parts.push_back(
    {x.term, x.prev_index, x.prev_term, x.commit, {}, x.sent_at_ms, 0});
  for (auto& entry : x.entries) {
    auto& part = parts.back();
    if (entry.kind == entry_kind::change && !part.entries.empty())
      parts.push_back({x.term,
                       part.prev_index + part.entries.size(),
                       part.entries.back().term,
                       x.commit,
                       {},
                       x.sent_at_ms,
                       0});
    parts.back().entries.push_back(std::move(entry));
  }
  return parts;
}

} // namespace

void raft_engine::core_deleter::operator()(raft_core* core) const {
  raft_core_destroy(core);
}

raft_engine::raft_engine(const raft_engine_config& config) : config_(config) {
  auto address = to_string(config.self);
  raft_core_options options{};
  options.id = static_cast<std::uint64_t>(config.self);
  options.address = address.c_str();
  options.seed = config.seed;
  options.heartbeat_ms = static_cast<unsigned>(config.heartbeat.count());
  options.election_ms = static_cast<unsigned>(config.election_timeout.count());
  options.install_snapshot_ms = install_snapshot_ms;
  options.max_inflight_entries = max_inflight_entries;
  core_.reset(raft_core_create(&options));
  if (!core_)
    throw std::bad_alloc{};
}

raft_engine::raft_engine(raft_engine&&) noexcept = default;
raft_engine& raft_engine::operator=(raft_engine&&) noexcept = default;
raft_engine::~raft_engine() = default;

// -- events -------------------------------------------------------------------

caf::expected<raft_update> raft_engine::start(raft_time now,
                                              log_contents contents) {
  // libraft makes an only voter leader without a new term. It would then give
  // indexes that it sent before a crash, but had not persisted, to other
  // entries of the same term, and stand-bys could not tell them apart.
  auto new_term = only_voter(last_configuration(contents), config_.self);
  if (new_term) {
    ++contents.term;
    contents.voted_for = config_.self;
  }
  raft_core_snapshot snapshot{};
  std::vector<raft_core_server> servers;
  if (contents.snapshot) {
    auto& stored = *contents.snapshot;
    auto decoded = decode_configuration(stored.configuration);
    if (!decoded)
      return make_error(errc::corrupt,
                        "the snapshot's configuration is unreadable");
    servers = core_servers(*decoded);
    snapshot = {stored.index, stored.term, stored.configuration_index,
                servers.data(), servers.size()};
    configuration_ = stored.configuration;
    configuration_index_ = stored.configuration_index;
    committed_ = stored.index;
  }
  restored_commit_ = contents.commit;
  owed_ = written_owed_ = contents.owed;
  known_led_at_ = now;
  if (contents.term > 0)
    votes_from_ = now + config_.election_timeout;
  auto heads = core_entries(contents.entries);
  auto code = raft_core_start(core_.get(), at(now), contents.term,
                              static_cast<std::uint64_t>(contents.voted_for),
                              contents.snapshot ? &snapshot : nullptr,
                              contents.first_index, heads.data(), heads.size());
  if (code != 0)
    return failure(code);
  raft_update out;
  if (contents.snapshot) {
    snapshot_ =
      std::make_shared<const log_snapshot>(std::move(*contents.snapshot));
    out.restored = snapshot_;
  }
  recent_.reset(contents.first_index);
  for (auto& entry : contents.entries)
    recent_.append(std::move(entry));
  collect(out);
  if (auto failed = commit(now, out))
    return failed;
  return finish(std::move(out), new_term);
}

caf::expected<raft_update> raft_engine::receive(raft_time now, member_id from,
                                                std::string_view bytes) {
  if (from == member_id::none || from == config_.self)
    return make_error(errc::corrupt, "Raft message without a sender");
  auto decoded = decode_raft_message(bytes);
  if (!decoded)
    return decoded.error();
  now_ = now;
  if (auto refused = check_sender(from, *decoded))
    return refused;
  raft_update out;
  auto failed = std::visit(
    [&](auto& x) { return receive_one(now, from, x, out); }, *decoded);
  if (failed)
    return failed;
  return finish(std::move(out));
}

bool raft_engine::takes_part(member_id who) const {
  auto servers = configuration();
  return std::any_of(servers.begin(), servers.end(),
                     [&](auto& server) { return server.id == who; });
}

/// Answers count of members only. Requests may come from one that joined while
/// this node was away, which it can't know of yet (Raft dissertation, 4.1):
/// those count once no known member has led for a while.
caf::error raft_engine::check_sender(member_id from,
                                     const raft_message& what) const {
  auto their_term = std::visit([](auto& x) { return x.term; }, what);
  auto is_new = term() == 0 && last_index() == 0;
  if (!is_new && their_term > term() + max_term_leap)
    return make_error(errc::corrupt,
                      "term " + std::to_string(their_term)
                        + " leaps from this node's " + std::to_string(term())
                        + ", which no number of elections explains");
  // A leader may be on its way out of the configuration.
  if (is_new || takes_part(from) || from == leader())
    return caf::none;
  auto is_answer = std::holds_alternative<append_entries_result>(what)
                   || std::holds_alternative<request_vote_result>(what);
  if (is_answer
      || now_ < known_led_at_ + strangers_wait * config_.election_timeout)
    return make_error(errc::corrupt, to_string(from)
                                       + " takes no part in consensus, as far "
                                         "as this node knows");
  return caf::none;
}

/// The first command that can't be read, and why.
caf::error raft_engine::check_commands(const append_entries& x) const {
  for (auto& entry : x.entries)
    if (entry.kind == entry_kind::command)
      if (auto unreadable = config_.check_command(entry.bytes))
        return unreadable;
  return caf::none;
}

caf::error raft_engine::receive_one(raft_time now, member_id from,
                                    const append_entries_result& x,
                                    raft_update& out) {
  note_answer(from, x);
  if (has_lost(from, x)) {
    auto had = raft_core_match_index(core_.get(), id_of(from));
    if (raft_core_set_back(core_.get(), id_of(from), x.last_index))
      out.lost = lost_entries{from, x.last_index + 1, had};
  }
  if (auto failed = give(now, to_core(from, x), out))
    return failed;
  if (leads()) {
    auto match = raft_core_match_index(core_.get(), id_of(from));
    if (auto& known = leading().acknowledged[from]; match > known.index)
      known = {match, now_};
  }
  return caf::none;
}

/// Whether it was told of the answer to a message that left after it had
/// acknowledged more: an earlier answer may only be late.
bool raft_engine::has_lost(member_id from,
                           const append_entries_result& x) const {
  if (!leads() || leading_.term != term() || x.term != term() || x.rejected == 0
      || x.last_index >= raft_core_match_index(core_.get(), id_of(from)))
    return false;
  auto known = leading_.acknowledged.find(from);
  return known != leading_.acknowledged.end()
         && raft_time{x.heard_at_ms} > known->second.at;
}

caf::error raft_engine::receive_one(raft_time now, member_id from,
                                    const request_vote& x, raft_update& out) {
  if (!may_vote(now, x))
    return caf::none;
  return give(now, to_core(from, x), out);
}

caf::error raft_engine::receive_one(raft_time now, member_id from,
                                    const request_vote_result& x,
                                    raft_update& out) {
  // A vote of a term that we never asked for.
  if (x.granted && x.term > term() + 1)
    return make_error(errc::corrupt, "a vote that nobody asked for");
  // libraft reads a candidate's state whatever state it is in.
  if (state() != raft_state::candidate)
    return caf::none;
  return give(now, to_core(from, x), out);
}

caf::error raft_engine::receive_one(raft_time now, member_id from,
                                    const timeout_now& x, raft_update& out) {
  return give(now, to_core(from, x), out);
}

bool raft_engine::may_vote(raft_time now, const request_vote& x) const {
  return (now >= votes_from_ || x.disrupt_leader) && x.last_index >= owed_;
}

raft_engine::own_term& raft_engine::leading() {
  if (leading_.term != term()) {
    leading_.term = term();
    leading_.contact.reset();
    leading_.told_commit.clear();
    leading_.acknowledged.clear();
  }
  return leading_;
}

void raft_engine::note_answer(member_id from, const append_entries_result& x) {
  if (!leads() || x.term != term())
    return;
  // Not from the future, whatever a peer says.
  auto sent_at = raft_time{x.heard_at_ms};
  leading().contact.answered(from, std::min(sent_at, now_));
}

void raft_engine::note_leader(std::uint64_t term, std::uint64_t sent_at_ms) {
  if (term > heard_term_) {
    heard_term_ = term;
    heard_at_ms_ = 0;
  }
  if (term == heard_term_)
    heard_at_ms_ = std::max(heard_at_ms_, sent_at_ms);
}

void raft_engine::note_owed(const append_entries& x, raft_update& out) {
  if (x.acknowledged > last_index() && x.acknowledged > owed_)
    out.lost = lost_entries{config_.self, last_index() + 1, x.acknowledged};
  owed_ = std::max({owed_, x.acknowledged, x.commit});
}

/// What is wrong when a leader has an entry of `term` at `index`.
caf::error raft_engine::contradicts(member_id leader, std::uint64_t index,
                                    std::uint64_t term) const {
  auto own = term_at(index);
  if (index > known_commit() || own == 0 || own == term)
    return caf::none;
  return make_error(
    errc::conflict,
    "entry " + std::to_string(index) + " is committed here with term "
      + std::to_string(own) + ", but " + to_string(leader)
      + ", which leads now, has another one with term " + std::to_string(term)
      + ": a majority of the disks lost what they had acknowledged. This node "
        "stops instead of doing the same; keep its data directory and see "
        "docs/recovery.md");
}

/// A leader has all that was ever committed (Raft dissertation, 3.6.3).
caf::error raft_engine::check_committed(member_id from,
                                        const append_entries& x) const {
  auto problem = contradicts(from, x.prev_index, x.prev_term);
  auto index = x.prev_index;
  for (auto& entry : x.entries) {
    if (problem)
      break;
    problem = contradicts(from, ++index, entry.term);
  }
  return problem;
}

std::optional<leader_lease> raft_engine::lease(raft_time now) const {
  // A transferee may disrupt this leader for as long as the term lasts, even
  // after the transfer was given up.
  if (!leads() || transferred_term_ == term())
    return std::nullopt;
  static const quorum_contact nobody;
  auto& contact = leading_.term == term() ? leading_.contact : nobody;
  auto latest = contact.latest(configuration(), config_.self, now);
  if (!latest)
    return std::nullopt;
  return leader_lease{*latest, *latest + config_.election_timeout * 9 / 10};
}

caf::error raft_engine::receive_one(raft_time now, member_id from,
                                    append_entries& x, raft_update& out) {
  if (leads() && x.term == term())
    return make_error(errc::corrupt, "a second leader in this term");
  if (x.term >= term()) {
    if (auto unreadable = check_commands(x))
      return unreadable;
    if (auto contradiction = check_committed(from, x))
      return contradiction;
    note_owed(x, out);
    if (takes_part(from))
      known_led_at_ = now;
  }
  note_leader(x.term, x.sent_at_ms);
  // libraft gives a configuration the index of the first entry that came with
  // it, and keeps only the last of several. So it gets one at a time, each at
  // the head of a message, and learns of its commit before the next.
  for (auto& part : split_at_changes(x)) {
    auto heads = core_entries(part.entries);
    auto message = to_core(from, part, heads);
    auto code = raft_core_receive(core_.get(), at(now), &message);
    if (code != 0)
      return failure(code);
    collect(out, &part.entries, part.prev_index + 1);
    if (auto failed = commit(now, out))
      return failed;
  }
  return caf::none;
}

caf::error raft_engine::receive_one(raft_time now, member_id from,
                                    install_snapshot& x, raft_update& out) {
  if (leads() && x.term == term())
    return make_error(errc::corrupt, "a second leader in this term");
  if (x.term >= term())
    if (auto contradiction =
          contradicts(from, x.snapshot->index, x.snapshot->term))
      return contradiction;
  if (!installing_)
    if (auto unreadable = config_.check_snapshot(*x.snapshot))
      return unreadable;
  if (x.term >= term() && takes_part(from))
    known_led_at_ = now;
  note_leader(x.term, 0);
  auto servers = core_servers(*decode_configuration(x.snapshot->configuration));
  auto message = to_core(from, x, servers);
  auto code = raft_core_receive(core_.get(), at(now), &message);
  if (code != 0)
    return failure(code);
  collect(out);
  if (raft_core_snapshot_pending(core_.get())) {
    installing_ = std::move(x.snapshot);
    recent_.reset(installing_->index + 1);
    for (auto& write : pending_)
      write.last = write.first - 1;
    out.write.snapshot = installing_;
    out.write.drop_all_entries = true;
    pending_.push_back({next_write_id_, 1, 0, true});
  }
  return commit(now, out);
}

caf::expected<raft_update> raft_engine::persisted(raft_time now,
                                                  std::uint64_t write_id) {
  raft_update out;
  while (!pending_.empty() && pending_.front().id <= write_id) {
    auto write = pending_.front();
    pending_.pop_front();
    int code = 0;
    if (write.installs) {
      code = raft_core_persisted_snapshot(core_.get(), at(now));
      snapshot_ = std::exchange(installing_, nullptr);
      configuration_ = snapshot_->configuration;
      configuration_index_ = snapshot_->configuration_index;
      committed_ = snapshot_->index;
      out.restored = snapshot_;
    } else if (write.first <= write.last) {
      code = raft_core_persisted_entries(core_.get(), at(now), write.last);
    } else {
      continue;
    }
    if (code != 0)
      return failure(code);
    collect(out);
    if (auto failed = commit(now, out))
      return failed;
  }
  return finish(std::move(out));
}

caf::expected<raft_update> raft_engine::timeout(raft_time now) {
  if (state() == raft_state::follower && last_index() < owed_) {
    raft_core_stay_follower(core_.get(), at(now));
    return finish({});
  }
  return after_step(raft_core_timeout(core_.get(), at(now)));
}

caf::expected<raft_update>
raft_engine::submit(raft_time now, std::vector<std::string> commands) {
  std::vector<log_entry> entries;
  entries.reserve(commands.size());
  for (auto& bytes : commands)
    entries.push_back({term(), entry_kind::command, std::move(bytes)});
  return submit_entries(now, std::move(entries));
}

caf::expected<raft_update>
raft_engine::submit_configuration(raft_time now,
                                  const raft_configuration_servers& servers) {
  if (leads() && changing())
    return make_error(errc::conflict, "another membership change is under way");
  if (leads() && !has_committed_in_term())
    return make_error(errc::conflict,
                      "no entry of this leader's term is committed yet");
  if (!may_follow(configuration(), servers))
    return make_error(errc::internal,
                      "a configuration must keep the order of its servers");
  std::vector<log_entry> entries;
  entries.push_back(
    {term(), entry_kind::change, encode_configuration(servers)});
  return submit_entries(now, std::move(entries));
}

caf::expected<raft_update>
raft_engine::submit_entries(raft_time now, std::vector<log_entry> entries) {
  if (!leads() || transferring())
    return make_error(errc::not_leader, "this node does not lead");
  raft_update out;
  if (auto failed = append(now, std::move(entries), out))
    return failed;
  return finish(std::move(out));
}

caf::error raft_engine::append(raft_time now, std::vector<log_entry> entries,
                               raft_update& out) {
  auto heads = core_entries(entries);
  auto index = last_index() + 1;
  auto code =
    raft_core_submit(core_.get(), at(now), heads.data(), heads.size());
  if (code != 0)
    return failure(code);
  collect(out, &entries, index);
  return commit(now, out);
}

/// libraft gives a new leader an entry of its own term only where it knows of
/// entries that may not be committed. What depends on the first one that is
/// committed would wait for the first client.
caf::error raft_engine::begin_term(raft_time now, raft_update& out) {
  if (!leads() || transferring() || term_at(last_index()) == term())
    return caf::none;
  return append(now, {{term(), entry_kind::barrier, {}}}, out);
}

std::optional<log_position> raft_engine::commit_position() const {
  auto index = commit_index();
  auto* last = recent_.at(index);
  if (installing_ || last == nullptr
      || (snapshot_ && snapshot_->index >= index))
    return std::nullopt;
  return log_position{index, last->term, configuration_, configuration_index_};
}

caf::expected<raft_update> raft_engine::take_snapshot(raft_time now,
                                                      log_position where,
                                                      std::string state) {
  auto index = where.index;
  if (installing_ || index > commit_index() || recent_.at(index) == nullptr
      || (snapshot_ && snapshot_->index >= index))
    return make_error(errc::conflict, "no snapshot can be taken there now");
  auto servers = core_servers(decode_configuration(where.configuration)
                                .value_or(raft_configuration_servers{}));
  raft_core_snapshot snapshot{index, where.term, where.configuration_index,
                              servers.data(), servers.size()};
  auto trailing = trailing_entries(index);
  auto code =
    raft_core_snapshot_taken(core_.get(), at(now), &snapshot, trailing);
  if (code != 0)
    return failure(code);
  raft_update out;
  collect(out);
  if (index > trailing)
    recent_.drop_through(index - trailing);
  snapshot_ = std::make_shared<const log_snapshot>(
    log_snapshot{index, where.term, std::move(where.configuration),
                 where.configuration_index, std::move(state)});
  out.write.snapshot = snapshot_;
  out.write.drop_below = recent_.first_index();
  return finish(std::move(out));
}

/// How many entries up to `index` stay behind a snapshot there.
unsigned raft_engine::trailing_entries(std::uint64_t index) const {
  unsigned result = 0;
  std::uint64_t bytes = 0;
  while (result < config_.snapshot_trailing) {
    auto* entry = recent_.at(index - result);
    if (entry == nullptr)
      break;
    bytes += entry->bytes.size();
    if (bytes > config_.snapshot_trailing_bytes && result > 0)
      break;
    ++result;
  }
  return result;
}

caf::expected<raft_update> raft_engine::catch_up(raft_time now, member_id id) {
  if (!leads())
    return make_error(errc::not_leader, "this node does not lead");
  if (changing())
    return make_error(errc::conflict, "another membership change is under way");
  auto servers = configuration();
  if (std::none_of(servers.begin(), servers.end(),
                   [&](auto& server) { return server.id == id; }))
    return make_error(errc::not_found,
                      to_string(id) + " takes no part in consensus");
  return after_step(
    raft_core_catch_up(core_.get(), at(now), static_cast<std::uint64_t>(id)));
}

caf::expected<raft_update> raft_engine::transfer(raft_time now, member_id to) {
  if (!leads() || transferring())
    return make_error(errc::not_leader, "this node does not lead");
  auto servers = configuration();
  if (std::none_of(servers.begin(), servers.end(), [&](auto& server) {
        return server.role == raft_role::voter && server.id != config_.self
               && (to == member_id::none || server.id == to);
      }))
    return make_error(errc::not_found, "no other voter could lead");
  transferred_term_ = term();
  return after_step(
    raft_core_transfer(core_.get(), at(now), static_cast<std::uint64_t>(to)));
}

void raft_engine::occupied(member_id peer, bool is) {
  if (is)
    occupied_.insert(peer);
  else
    occupied_.erase(peer);
}

// -- what a step asks for -----------------------------------------------------

void raft_engine::collect(raft_update& out, std::vector<log_entry>* given,
                          std::uint64_t given_index) {
  out.hard_state_changed |= raft_core_hard_state_changed(core_.get());
  out.state_changed |= raft_core_state_changed(core_.get());
  out.commit_changed |= raft_core_commit_changed(core_.get());
  collect_entries(out, given, given_index);
  collect_messages(out);
}

void raft_engine::collect_entries(raft_update& out,
                                  std::vector<log_entry>* given,
                                  std::uint64_t given_index) {
  auto count = raft_core_entry_count(core_.get());
  if (count == 0)
    return;
  auto index = raft_core_entries_index(core_.get());
  recent_.truncate(index);
  // What is still being written behind it no longer counts.
  for (auto& write : pending_)
    write.last = std::min(write.last, index - 1);
  if (out.write.entries.empty()) {
    out.write.first_index = index;
    pending_.push_back({next_write_id_, index, 0, false});
  }
  for (std::size_t i = 0; i < count; ++i) {
    log_entry entry;
    int kind = 0;
    raft_core_entry_head(core_.get(), i, &entry.term, &kind);
    entry.kind = static_cast<entry_kind>(kind);
    // Only a new leader's barrier comes from the core itself.
    if (given != nullptr)
      entry.bytes = std::move((*given)[index + i - given_index].bytes);
    out.write.entries.push_back(entry);
    recent_.append(std::move(entry));
  }
  pending_.back().last = recent_.last_index();
}

void raft_engine::collect_messages(raft_update& out) {
  auto count = raft_core_message_count(core_.get());
  for (std::size_t i = 0; i < count; ++i) {
    raft_core_message x{};
    raft_core_message_at(core_.get(), i, &x);
    auto message = from_core(x);
    auto occupied = occupied_.contains(member_id{x.peer});
    if (auto* append = std::get_if<append_entries>(&message)) {
      complete(*append, x, occupied ? config_.max_message_bytes : UINT64_MAX);
    } else if (auto* answer = std::get_if<append_entries_result>(&message)) {
      if (answer->term == heard_term_)
        answer->heard_at_ms = heard_at_ms_;
    } else if (auto* install = std::get_if<install_snapshot>(&message)) {
      if (!snapshot_ || occupied)
        continue;
      install->snapshot = snapshot_;
    }
    out.messages.push_back({member_id{x.peer}, encode(message)});
  }
}

/// Entries of more than `max_bytes` stay behind.
void raft_engine::complete(append_entries& message,
                           const raft_core_message& asked,
                           std::uint64_t max_bytes) {
  auto& told = leading().told_commit[member_id{asked.peer}];
  told = std::max(told, message.commit);
  message.sent_at_ms = static_cast<std::uint64_t>(now_.count());
  message.acknowledged = leading().acknowledged[member_id{asked.peer}].index;
  std::uint64_t bytes = 0;
  for (std::size_t i = 1; i <= asked.n_entries; ++i)
    if (auto* entry = recent_.at(asked.index + i))
      bytes += entry->bytes.size();
  if (bytes > max_bytes)
    return;
  for (std::size_t i = 1; i <= asked.n_entries; ++i)
    if (auto* entry = recent_.at(asked.index + i))
      message.entries.push_back(*entry);
}

void raft_engine::spread_commit(raft_update& out) {
  if (!leads())
    return;
  auto& told_commit = leading().told_commit;
  auto* last = recent_.at(last_index());
  for (auto& server : configuration()) {
    auto& told = told_commit[server.id];
    if (server.id == config_.self || told >= commit_index() || last == nullptr
        || !is_up_to_date(server.id))
      continue;
    told = commit_index();
    append_entries news{term(),
                        last_index(),
                        last->term,
                        commit_index(),
                        {},
                        static_cast<std::uint64_t>(now_.count()),
                        leading().acknowledged[server.id].index};
    out.messages.push_back({server.id, encode(news)});
  }
}

caf::error raft_engine::commit(raft_time now, raft_update& out) {
  // The core wants to know which configurations are committed.
  while (committed_ < commit_index()) {
    auto* entry = recent_.at(committed_ + 1);
    if (entry == nullptr)
      break; // a snapshot is on its way
    ++committed_;
    if (entry->kind != entry_kind::change)
      continue;
    auto servers = decode_configuration(entry->bytes);
    if (!servers)
      return make_error(errc::corrupt, "unreadable configuration at index "
                                         + std::to_string(committed_));
    configuration_ = entry->bytes;
    configuration_index_ = committed_;
    auto list = core_servers(*servers);
    auto code = raft_core_configuration(core_.get(), at(now), committed_,
                                        list.data(), list.size());
    if (code != 0)
      return failure(code);
    collect(out);
  }
  return caf::none;
}

caf::error raft_engine::give(raft_time now, const raft_core_message& message,
                             raft_update& out) {
  if (auto code = raft_core_receive(core_.get(), at(now), &message))
    return failure(code);
  collect(out);
  return commit(now, out);
}

caf::expected<raft_update> raft_engine::after_step(int code) {
  if (code != 0)
    return failure(code);
  raft_update out;
  collect(out);
  if (auto failed = commit(now_, out))
    return failed;
  return finish(std::move(out));
}

caf::expected<raft_update> raft_engine::finish(raft_update out,
                                               bool hard_state) {
  if (auto failed = begin_term(now_, out))
    return failed;
  // libraft tells followers of a commit with its next message only: when idle,
  // a heartbeat later, and whoever asked a follower waits for that.
  spread_commit(out);
  out.hard_state_changed |= hard_state;
  if (out.hard_state_changed) {
    out.write.term = term();
    out.write.voted_for = member_id{raft_core_voted_for(core_.get())};
  }
  // What is owed is written along. It grows further only with a leader's
  // messages, so what counts is that it is known at all.
  auto owed = owed_ > last_index() ? owed_ : 0;
  if (out.hard_state_changed || !out.write.entries.empty() || out.write.snapshot
      || (owed != 0 && written_owed_ == 0)) {
    out.write_id = next_write_id_++;
    out.write.commit = std::max(commit_index(), restored_commit_);
    out.write.owed = written_owed_ = owed;
  }
  return caf::expected<raft_update>{std::move(out)};
}

// -- state --------------------------------------------------------------------

std::uint64_t raft_engine::at(raft_time now) {
  now_ = now;
  return static_cast<std::uint64_t>(now.count());
}

caf::error raft_engine::failure(int code) const {
  return make_error(errc::internal,
                    std::string{"the Raft engine refuses to go on: "}
                      + raft_core_strerror(code));
}

raft_state raft_engine::state() const {
  switch (raft_core_state(core_.get())) {
    case RAFT_CORE_LEADER:
      return raft_state::leader;
    case RAFT_CORE_CANDIDATE:
      return raft_state::candidate;
    default:
      return raft_state::follower;
  }
}

member_id raft_engine::leader() const {
  auto known = member_id{raft_core_leader(core_.get())};
  // libraft keeps naming the old leader when it learns of a newer term.
  auto heard = leads() || heard_term_ == term();
  return heard ? known : member_id::none;
}

std::uint64_t raft_engine::term() const {
  return raft_core_term(core_.get());
}

std::uint64_t raft_engine::commit_index() const {
  return raft_core_commit_index(core_.get());
}

std::uint64_t raft_engine::known_commit() const {
  // What was committed once stays, though the core hears of it only from a
  // leader.
  return std::max(commit_index(), std::min(restored_commit_, last_index()));
}

raft_time raft_engine::next_timeout() const {
  return raft_time{raft_core_next_timeout(core_.get())};
}

std::uint64_t raft_engine::term_at(std::uint64_t index) const {
  if (auto* entry = recent_.at(index))
    return entry->term;
  return snapshot_ && snapshot_->index == index ? snapshot_->term : 0;
}

bool raft_engine::has_committed_in_term() const {
  return leads() && term_at(commit_index()) == term();
}

bool raft_engine::transferring() const {
  return raft_core_transferee(core_.get()) != 0;
}

bool raft_engine::changing() const {
  return raft_core_changing(core_.get());
}

bool raft_engine::is_up_to_date(member_id id) const {
  return raft_core_is_up_to_date(core_.get(), static_cast<std::uint64_t>(id));
}

raft_engine::catch_up_state raft_engine::catch_up_state_of(member_id id) const {
  return static_cast<catch_up_state>(
    raft_core_catch_up_status(core_.get(), static_cast<std::uint64_t>(id)));
}

raft_configuration_servers raft_engine::configuration() const {
  raft_configuration_servers result;
  for (std::size_t i = 0; i < raft_core_server_count(core_.get()); ++i) {
    auto server = raft_core_server_at(core_.get(), i);
    result.push_back({member_id{server.id}, server.role == RAFT_CORE_VOTER
                                              ? raft_role::voter
                                              : raft_role::standby});
  }
  return result;
}

} // namespace troupe

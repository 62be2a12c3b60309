#include "discovery/catalog/catalog_state.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <spdlog/spdlog.h>
#include <utility>

#include "messages/error.hpp"

// What the Raft engine asks for. Commands and membership changes are in
// catalog_commands.cpp.

namespace troupe {

namespace {

/// Commands submitted together at most.
constexpr std::size_t max_batch = 256;

/// For one part of a large message to arrive: at 50 kB/s, two of them.
constexpr std::chrono::seconds part_deadline{10};

/// Held for the disk at most.
constexpr std::size_t max_held_messages = 1024;

/// After a snapshot that could not be made.
constexpr std::chrono::seconds save_retry{10};

} // namespace

void catalog_state::start(catalog_config config, raft_log_actor log,
                          cluster_view view, lease_ptr leadership,
                          log_disk_ptr disk) {
  leadership_ = std::move(leadership);
  leadership_->end();
  config_ = std::move(config);
  log_ = std::move(log);
  view_ = std::move(view);
  disk_ = std::move(disk);
  proposals_.emplace(next_seed());
  self_->monitor(log_);
  self_->request(log_, caf::infinite, load_log{})
    .await([this](log_contents& contents) { load(std::move(contents)); },
           [this](caf::error& reason) { fatal(std::move(reason)); });
}

void catalog_state::load(log_contents contents) {
  raft_engine_config config;
  config.self = config_.self.id;
  config.heartbeat = config_.heartbeat;
  config.election_timeout = config_.election_timeout;
  config.snapshot_trailing = config_.snapshot_trailing;
  config.max_message_bytes = config_.max_message_bytes;
  config.seed = next_seed();
  config.check_snapshot = [this](const log_snapshot& x) {
    return decode_snapshot(x);
  };
  config.check_command = [](const std::string& bytes) {
    auto what = decode_command(bytes);
    return what ? caf::error{} : what.error();
  };
  engine_.emplace(config);
  disk_->set_trouble({});
  act(engine_->start(now(), std::move(contents)));
  settle();
}

raft_time catalog_state::now() const {
  return std::chrono::duration_cast<raft_time>(
    self_->clock().now().time_since_epoch());
}

std::uint32_t catalog_state::next_seed() {
  return config_.seed != 0 ? config_.seed : std::random_device{}();
}

void catalog_state::act(caf::expected<raft_update> update) {
  if (stopped_)
    return;
  if (!update) {
    fatal(std::move(update.error()));
    return;
  }
  if (update->lost)
    tell_of_loss(*update->lost);
  if (update->write_id != 0) {
    if (update->hard_state_changed) {
      changed_ = true; // the term is published
      last_hard_state_write_ = update->write_id;
    }
    persist(update->write_id, std::move(update->write));
  }
  for (auto& message : update->messages)
    outbox_.push_back({last_hard_state_write_, std::move(message)});
  send_durable();
  // Raft repeats what is lost.
  while (outbox_.size() > max_held_messages)
    outbox_.pop_front();
  if (update->restored) {
    if (auto error = restore(*update->restored)) {
      fatal(std::move(error));
      return;
    }
    spdlog::info("catalog: goes on from the snapshot at index {} ({} bytes)",
                 update->restored->index, update->restored->state.size());
    bytes_since_snapshot_ = 0;
    changed_ = true;
  }
  apply_committed();
  if (!stopped_)
    follow_leader();
}

caf::error catalog_state::decode_snapshot(const log_snapshot& x) {
  state_machine decoded;
  if (auto problem = decoded.restore(x.state))
    return problem;
  if (decoded.applied_index() != x.index)
    return make_error(errc::corrupt,
                      "a snapshot at index " + std::to_string(x.index)
                        + " holds the state at "
                        + std::to_string(decoded.applied_index()));
  arrived_.emplace(x.index, std::move(decoded));
  return caf::none;
}

caf::error catalog_state::restore(const log_snapshot& x) {
  if (!arrived_ || arrived_->first != x.index)
    return machine_.restore(x.state);
  machine_ = std::move(arrived_->second);
  arrived_.reset();
  return caf::none;
}

void catalog_state::tell_of_loss(const lost_entries& x) {
  auto current = machine_.state();
  auto i = current.members.find(x.who);
  auto name =
    i == current.members.end() ? to_string(x.who) : i->second.info.name;
  auto text = fmt::format("{} has lost entries {} to {} of its log, which it "
                          "had acknowledged: look at its disk. It gets them "
                          "again and takes no part in elections until then",
                          name, x.first, x.last);
  spdlog::error("catalog: {}", text);
  if (engine_->leads())
    waiting_.push_back(
      stamp(record_event{{{}, "cluster", name, std::move(text), "error"}}));
}

void catalog_state::persist(std::uint64_t write_id, log_write write) {
  queue_.push(write_id, write, now());
  self_->request(log_, caf::infinite, std::move(write))
    .then(
      [this, write_id](done) {
        durable_write_ = write_id;
        queue_.confirmed(write_id);
        send_durable();
        act(engine_->persisted(now(), write_id));
        settle();
      },
      [this](caf::error& reason) { on_log_down(reason); });
}

void catalog_state::send_durable() {
  while (!outbox_.empty() && outbox_.front().after_write <= durable_write_) {
    send(std::move(outbox_.front().what));
    outbox_.pop_front();
  }
}

void catalog_state::send(raft_outgoing message) {
  auto i = peers_.find(message.to);
  if (i == peers_.end())
    return;
  if (message.bytes.size() <= config_.max_message_bytes) {
    self_->send(i->second,
                raft_message_bytes{config_.self.id, std::move(message.bytes)});
    return;
  }
  // Raft repeats it later if the one on its way was not enough.
  if (transfers_.contains(message.to))
    return;
  engine_->occupied(message.to, true);
  transfers_.emplace(message.to,
                     parted_message{next_transfer_++, std::move(message.bytes),
                                    config_.max_message_bytes / 4});
  send_parts(message.to);
}

void catalog_state::send_parts(member_id to) {
  auto& message = transfers_.at(to);
  auto transfer = message.transfer();
  while (auto part = message.next(config_.self.id))
    self_->request(peers_.at(to), part_deadline, std::move(*part))
      .then([this, to, transfer](done) { part_ended(to, transfer, true); },
            [this, to, transfer](const caf::error&) {
              part_ended(to, transfer, false);
            });
}

void catalog_state::part_ended(member_id to, std::uint64_t transfer,
                               bool arrived) {
  auto i = transfers_.find(to);
  if (i == transfers_.end() || i->second.transfer() != transfer)
    return;
  if (arrived)
    i->second.arrived();
  if (!arrived || i->second.complete())
    end_transfer(to);
  else
    send_parts(to);
}

void catalog_state::end_transfer(member_id to) {
  transfers_.erase(to);
  if (engine_)
    engine_->occupied(to, false);
}

void catalog_state::apply_committed() {
  auto commit = engine_->known_commit();
  while (machine_.applied_index() < commit && !stopped_) {
    auto index = machine_.applied_index() + 1;
    auto* entry = engine_->entry(index);
    if (entry == nullptr)
      return; // a snapshot is on its way
    changed_ = true;
    bytes_since_snapshot_ += entry->bytes.size();
    switch (entry->kind) {
      case entry_kind::command:
        apply_command(*entry, index);
        break;
      case entry_kind::change:
        machine_.apply_configuration(decode_configuration(entry->bytes)
                                       .value_or(raft_configuration_servers{}),
                                     index);
        break;
      case entry_kind::barrier:
        machine_.skip(index);
    }
  }
}

void catalog_state::apply_command(const log_entry& entry, std::uint64_t index) {
  auto what = decode_command(entry.bytes);
  if (!what) {
    // Passing it over would make this node's state differ from the others'.
    auto [code, detail, field] = describe(what.error());
    fatal(
      make_error(code, "log entry " + std::to_string(index) + ": " + detail));
    return;
  }
  auto result = machine_.apply(*what, index, entry.term);
  auto& id = what->id;
  auto [first, last] = forwarded_.equal_range(key_of(id));
  for (auto i = first; i != last; ++i)
    i->second.deliver(result);
  forwarded_.erase(first, last);
  if (id.origin == config_.self.id && id.process == config_.ids->process())
    proposals_->answered(id.sequence, std::move(result));
}

void catalog_state::follow_leader() {
  auto leads = this->leads();
  auto leader =
    engine_->leads() && !leads ? member_id::none : engine_->leader();
  if (led_ && !leads)
    resign();
  if (leader != leader_) {
    leader_ = leader;
    changed_ = true;
    proposals_->leader_is(leader, now());
  }
  if (leads && !led_ && !machine_.cluster_uuid().empty())
    waiting_.push_back(
      stamp(record_event{{{},
                          "cluster",
                          config_.self.name,
                          config_.self.name + " leads the cluster (term "
                            + std::to_string(engine_->term()) + ")"}}));
  led_ = leads;
}

void catalog_state::resign() {
  spdlog::info("catalog: leads no more, term {}", engine_->term());
  // Whether they get committed is for the next leader to say.
  auto lost = make_error(errc::not_leader, "leadership was lost");
  for (auto& [key, promise] : forwarded_)
    promise.deliver(lost);
  forwarded_.clear();
  waiting_.clear();
  batch_end_ = 0;
  if (role_change_) {
    role_change_->done.deliver(lost);
    role_change_.reset();
  }
}

void catalog_state::fatal(caf::error reason) {
  if (stopped_)
    return;
  stopped_ = true;
  leadership_->end();
  spdlog::critical("catalog: {}", describe(reason).detail);
  self_->quit(std::move(reason));
}

void catalog_state::on_log_down(const caf::error& reason) {
  auto ours = reason.category() == make_error(errc::internal, {}).category();
  fatal(ours ? reason
             : make_error(errc::unavailable,
                          "the log ended: " + caf::to_string(reason)));
}

// -- after every event --------------------------------------------------------

void catalog_state::settle() {
  if (stopped_ || !engine_)
    return;
  watch_disk();
  finish_transfer();
  advance_role_change();
  snapshot_if_due();
  try_proposals();
  submit_waiting();
  renew_lease();
  publish();
  // Only now, so that whoever gets an answer reads its own write. A node whose
  // disk is in trouble may not get that far: what is committed is committed.
  proposals_->reached(disk_trouble_ ? UINT64_MAX : machine_.applied_index());
  proposals_->expire(now(), not_committed());
  arm_timer();
}

void catalog_state::snapshot_if_due() {
  auto& last = engine_->snapshot();
  auto covered = last ? last->index : 0;
  auto bytes = last ? last->state.size() : 0;
  // The larger the state, the longer the log that one is worth (Raft
  // dissertation §5.1.3).
  auto scale = std::max(bytes / config_.snapshot_bytes, std::uint64_t{1});
  auto applied = machine_.applied_index();
  auto due = applied >= covered + scale * config_.snapshot_threshold
             || bytes_since_snapshot_ >= scale * config_.snapshot_bytes;
  if (!due || saving_ || now() < next_save_ || is_backlogged()
      || applied != engine_->commit_index())
    return;
  // Nothing where one is being installed, which is as good.
  if (auto where = engine_->commit_position())
    save(std::move(*where));
}

void catalog_state::save(log_position where) {
  // Encoding takes its time, heartbeats do not wait for it.
  auto state = std::make_shared<const state_machine>(machine_);
  auto encode = [state](caf::event_based_actor* self) -> caf::behavior {
    return {[self, state](tick) {
      self->quit();
      return state->snapshot();
    }};
  };
  auto encoder = config_.encodes_on_own_thread
                   ? self_->spawn<caf::detached>(std::move(encode))
                   : self_->spawn(std::move(encode));
  saving_ = true;
  auto bytes = std::exchange(bytes_since_snapshot_, 0);
  self_->request(encoder, caf::infinite, tick{})
    .then(
      [this, where](std::string& bytes) {
        saving_ = false;
        spdlog::debug("catalog: snapshot at index {}, {} bytes", where.index,
                      bytes.size());
        auto update = engine_->take_snapshot(now(), where, std::move(bytes));
        // One was installed meanwhile.
        auto overtaken =
          !update && describe(update.error()).code == errc::conflict;
        if (!overtaken)
          act(std::move(update));
        settle();
      },
      [this, bytes](const caf::error& reason) {
        saving_ = false;
        next_save_ = now() + save_retry;
        bytes_since_snapshot_ += bytes;
        spdlog::error("catalog: no snapshot could be made: {}",
                      describe(reason).detail);
      });
}

void catalog_state::submit_waiting() {
  if (waiting_.empty() || !engine_->leads() || engine_->transferring()
      || engine_->commit_index() < batch_end_ || is_backlogged())
    return;
  std::vector<std::string> batch;
  if (waiting_.size() <= max_batch) {
    batch = std::exchange(waiting_, {});
  } else {
    auto end = waiting_.begin() + max_batch;
    batch.assign(std::make_move_iterator(waiting_.begin()),
                 std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
  }
  auto update = engine_->submit(now(), std::move(batch));
  batch_end_ = engine_->last_index();
  act(std::move(update));
}

void catalog_state::publish() {
  if (!changed_ || stopped_)
    return;
  changed_ = false;
  auto next = machine_.state();
  // A restarted catalog starts over from its last snapshot; what its readers
  // have is no worse.
  if (auto shown = view_->get(); next.applied_index < shown->applied_index)
    next = *shown;
  // Whatever was committed in earlier terms stands before this term's entries.
  auto current =
    machine_.applied_index() > 0
    && engine_->term_at(machine_.applied_index()) == engine_->term();
  caught_up_ |= current;
  next.caught_up = caught_up_;
  // Nobody is to decide as the leader by a state that others know better.
  auto hides = leader_ == config_.self.id && !current;
  next.leader = hides ? member_id::none : leader_;
  next.term = engine_->term();
  view_->set(std::move(next));
}

void catalog_state::renew_lease() {
  if (stopped_ || disk_trouble_)
    return;
  using time_point = lease::clock::time_point;
  if (auto held = engine_->lease(now()))
    leadership_->extend(time_point{held->since}, time_point{held->end},
                        time_point{now()});
  else
    leadership_->end();
}

void catalog_state::arm_timer() {
  if (stopped_)
    return;
  // Who is silent only looks after the disk and the proposals.
  auto due = is_silent() ? now() + config_.heartbeat : engine_->next_timeout();
  if (auto since = queue_.waiting_since())
    due = std::min(due, now() + config_.election_timeout);
  auto has_leader = leader_ == config_.self.id || peers_.contains(leader_);
  if (auto next = proposals_->next_due(has_leader))
    due = std::min(due, *next);
  // An earlier tick sets the next one.
  if (armed_ && *armed_ <= due)
    return;
  armed_ = due;
  auto wait = std::max(due - now(), raft_time{1});
  self_->delayed_send(self_, wait, tick{});
}

void catalog_state::on_tick() {
  if (stopped_ || !engine_ || (armed_ && now() < *armed_))
    return; // a later tick is set
  armed_.reset();
  if (engine_->next_timeout() <= now() && !is_silent())
    act(engine_->timeout(now()));
  settle();
}

actor_status catalog_state::status() const {
  actor_status result{name, {}};
  auto& details = result.details;
  if (!engine_)
    return result;
  details["state"] = engine_->leads()                            ? "leader"
                     : engine_->state() == raft_state::candidate ? "candidate"
                                                                 : "follower";
  details["leader"] = to_string(leader_);
  details["term"] = std::to_string(engine_->term());
  details["commit_index"] = std::to_string(engine_->commit_index());
  details["applied_index"] = std::to_string(machine_.applied_index());
  details["last_index"] = std::to_string(engine_->last_index());
  details["log_bytes"] = std::to_string(engine_->log_bytes());
  details["proposals"] = std::to_string(proposals_->size());
  details["peers"] = std::to_string(peers_.size());
  details["log_queue_bytes"] = std::to_string(queue_.bytes());
  return result;
}

} // namespace troupe

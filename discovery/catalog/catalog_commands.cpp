#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "discovery/catalog/catalog_state.hpp"
#include "discovery/identity/identity.hpp"
#include "messages/error.hpp"

// Commands and membership changes; catalog_state.cpp drives the Raft engine.

namespace troupe {

namespace {

/// Proposals of this node, and commands that wait at the leader.
constexpr std::size_t max_waiting = 65536;

/// A leader that takes longer to answer is asked again.
constexpr std::chrono::milliseconds forward_timeout{1000};

} // namespace

// -- commands -----------------------------------------------------------------

caf::result<apply_result> catalog_state::on_propose(propose& x) {
  if (proposals_->size() >= max_waiting)
    return make_error(errc::overloaded, "too many changes are under way");
  auto promise = self_->make_response_promise<apply_result>();
  propose_body(std::move(x),
               [promise](caf::expected<apply_result> result) mutable {
                 if (result)
                   promise.deliver(std::move(*result));
                 else
                   promise.deliver(std::move(result.error()));
               });
  settle();
  return promise;
}

caf::result<catalog_value> catalog_state::on_read(const read_key& x) const {
  auto* found = machine_.keys().find(x.key);
  if (found == nullptr)
    return make_error(errc::not_found, "no such key: " + x.key, "key");
  return *found;
}

key_list catalog_state::on_list(const list_keys& x) const {
  return machine_.keys().list(x);
}

void catalog_state::propose_body(propose proposed,
                                 proposal_table::callback done) {
  command what{next_id(), unix_now(), std::move(proposed.body), proposed.fence};
  proposals_->add(what.id.sequence, encode(what), now(),
                  now() + config_.propose_deadline, std::move(done));
}

std::string catalog_state::stamp(command_body body) {
  return encode(command{next_id(), unix_now(), std::move(body)});
}

request_id catalog_state::next_id() {
  auto sequence = config_.ids->next_sequence();
  return {config_.self.id, config_.self.incarnation, sequence,
          proposals_->answered_below(sequence), config_.ids->process()};
}

caf::result<apply_result> catalog_state::on_forward(forward_command& x) {
  if (!leads() || engine_->transferring())
    return make_error(errc::not_leader, config_.self.name + " does not lead");
  if (waiting_.size() >= max_waiting || is_backlogged())
    return make_error(errc::overloaded, "too many changes are under way");
  // Nothing unreadable may get into the log.
  auto what = decode_command(x.bytes);
  if (!what) {
    spdlog::error("catalog: refused a command of a peer: {}",
                  describe(what.error()).detail);
    return what.error();
  }
  auto promise = self_->make_response_promise<apply_result>();
  forwarded_.emplace(key_of(what->id), promise);
  waiting_.push_back(std::move(x.bytes));
  settle();
  return promise;
}

void catalog_state::try_proposals() {
  if (leader_ == config_.self.id) {
    if (is_backlogged())
      return;
    for (auto& x : proposals_->take_due(now(), leader_))
      waiting_.push_back(*x.bytes);
    return;
  }
  auto i = peers_.find(leader_);
  if (i == peers_.end())
    return;
  for (auto& x : proposals_->take_due(now(), leader_))
    try_at(i->second, x);
}

void catalog_state::try_at(catalog_actor leader,
                           const proposal_table::attempt& x) {
  self_->request(leader, forward_timeout, forward_command{*x.bytes})
    .then(
      [this, sequence = x.sequence](apply_result& result) {
        proposals_->answered(sequence, std::move(result));
        settle();
      },
      [this, sequence = x.sequence, number = x.number](const caf::error&) {
        proposals_->failed(sequence, number, now());
        settle();
      });
}

caf::error catalog_state::not_committed() const {
  if (disk_trouble_)
    return make_error(errc::unavailable,
                      config_.self.name + ": " + disk_->get().trouble);
  if (leader_ == member_id::none)
    return make_error(errc::no_quorum,
                      "no leader is known to " + config_.self.name
                        + "; it may be cut off, and what was asked may "
                          "yet be applied");
  // A leader has heard of a quorum within its election timeout.
  return make_error(errc::timed_out,
                    fmt::format("not committed within {} ms although a leader "
                                "is known; it may yet be applied",
                                config_.propose_deadline.count()));
}

// -- peers --------------------------------------------------------------------

/// Whether the message that is being handled came from the process with which
/// the peering actor made a session as that member.
bool catalog_state::is_session_of(member_id from) const {
  auto i = peers_.find(from);
  auto& sender = self_->current_sender();
  return i != peers_.end() && sender != nullptr
         && sender->node() == i->second.node();
}

void catalog_state::on_raft(const raft_message_bytes& x) {
  if (!is_session_of(x.from)) {
    spdlog::warn("catalog: dropped a message in the name of {}, which did not "
                 "come over its session",
                 to_string(x.from));
    return;
  }
  auto update = engine_->receive(now(), x.from, x.bytes);
  if (!update) {
    auto what = describe(update.error());
    if (what.code == errc::corrupt || what.code == errc::incompatible) {
      spdlog::error("catalog: dropped a message of {}: {}", to_string(x.from),
                    what.detail);
      return;
    }
  }
  act(std::move(update));
  settle();
}

caf::result<done> catalog_state::on_part(const raft_message_part& x) {
  if (!is_session_of(x.from))
    return make_error(errc::conflict,
                      "there is no session with " + to_string(x.from));
  auto message = arriving_[x.from].take(x);
  if (!message)
    return message.error();
  if (*message)
    on_raft({x.from, std::move(**message)});
  return done{};
}

void catalog_state::on_peer_up(const peer_up& x) {
  auto i = x.actors.find("catalog");
  if (i == x.actors.end() || i->second == nullptr)
    return;
  auto catalog = caf::actor_cast<catalog_actor>(i->second);
  auto& known = peers_[x.info.id];
  if (known != catalog) {
    end_transfer(x.info.id);
    // Another process counts its transfers anew.
    arriving_.erase(x.info.id);
  }
  known = std::move(catalog);
  settle();
}

void catalog_state::on_sessions_reset() {
  peers_.clear();
  while (!transfers_.empty())
    end_transfer(transfers_.begin()->first);
  arriving_.clear();
}

void catalog_state::on_peer_down(const peer_down& x) {
  peers_.erase(x.id);
  end_transfer(x.id);
  arriving_.erase(x.id);
  proposals_->peer_lost(x.id, now());
  settle();
}

// -- membership changes -------------------------------------------------------

caf::result<done> catalog_state::on_bootstrap(const bootstrap_cluster& x) {
  auto name = x.cluster_name;
  auto unfinished = engine_->leads() && machine_.cluster_uuid().empty();
  auto pristine = engine_->term() == 0 && engine_->last_index() == 0;
  if (!unfinished && !pristine)
    return make_error(errc::conflict,
                      config_.self.name + " has a cluster's log already");
  auto promise = self_->make_response_promise<done>();
  if (unfinished) {
    found_cluster(name, promise);
    settle();
    return promise;
  }
  log_contents contents;
  contents.term = 1;
  contents.entries.push_back(
    {1, entry_kind::change,
     encode_configuration({{config_.self.id, raft_role::voter}})});
  log_write write;
  write.term = contents.term;
  write.first_index = contents.first_index;
  write.entries = contents.entries;
  self_->request(log_, caf::infinite, std::move(write))
    .await(
      [this, contents, name, promise](done) {
        load(contents);
        found_cluster(name, promise);
        settle();
      },
      [this](caf::error& reason) { on_log_down(reason); });
  return promise;
}

void catalog_state::found_cluster(const std::string& cluster_name,
                                  done_promise promise) {
  auto answer = [promise](caf::expected<apply_result> result) mutable {
    auto failure = result ? result->failure() : result.error();
    if (failure)
      promise.deliver(std::move(failure));
    else
      promise.deliver(done{});
  };
  // In order: both go into the log as they are proposed.
  propose_body({create_cluster{make_cluster_uuid(config_.seed), cluster_name}},
               [](const caf::expected<apply_result>&) {});
  propose_body({register_node{config_.self}}, std::move(answer));
}

raft_configuration_servers
catalog_state::with_role(const set_raft_role& x) const {
  auto servers = engine_->configuration();
  auto i = std::find_if(servers.begin(), servers.end(),
                        [&](auto& server) { return server.id == x.node; });
  // In place: libraft keeps each server's progress by its position.
  if (i == servers.end())
    servers.push_back({x.node, x.role});
  else if (x.role == raft_role::none)
    servers.erase(i);
  else
    i->role = x.role;
  return servers;
}

caf::result<done> catalog_state::on_set_role(const set_raft_role& x) {
  if (!leads() || engine_->transferring())
    return make_error(errc::not_leader, config_.self.name + " does not lead");
  if (role_change_ || engine_->changing())
    return make_error(errc::conflict, "another membership change is under way");
  auto servers = engine_->configuration();
  auto i = std::find_if(servers.begin(), servers.end(),
                        [&](auto& server) { return server.id == x.node; });
  auto current = i == servers.end() ? raft_role::none : i->role;
  if (current == x.role)
    return done{};
  // An only voter left behind could lead this term a second time: libraft
  // makes it leader without an election (see raft_engine::start).
  if (x.node == config_.self.id)
    return make_error(errc::conflict,
                      "the leader has to hand over leadership first");
  if (x.node == member_id::none)
    return make_error(errc::invalid_field, "which node?", "node");
  if (current == raft_role::none && x.role == raft_role::voter)
    return make_error(errc::conflict, "a voter has to be a stand-by first");
  auto promise = self_->make_response_promise<done>();
  auto behind = x.role == raft_role::voter && !engine_->is_up_to_date(x.node);
  role_change_ = role_change{x, behind, 0, promise};
  if (behind)
    act(engine_->catch_up(now(), x.node));
  settle();
  return promise;
}

void catalog_state::submit_role(role_change& change) {
  auto update = engine_->submit_configuration(now(), with_role(change.what));
  if (!update) {
    change.done.deliver(std::move(update.error()));
    role_change_.reset();
    return;
  }
  change.index = engine_->last_index();
  act(std::move(update));
}

void catalog_state::advance_role_change() {
  if (!role_change_ || stopped_)
    return;
  if (role_change_->index != 0) {
    if (machine_.applied_index() < role_change_->index)
      return;
    role_change_->done.deliver(done{});
    role_change_.reset();
    return;
  }
  if (role_change_->catching_up) {
    auto who = role_change_->what.node;
    auto state = engine_->catch_up_state_of(who);
    if (state == raft_engine::catch_up_state::running)
      return;
    if (state != raft_engine::catch_up_state::finished) {
      role_change_->done.deliver(
        make_error(errc::timed_out, to_string(who) + " could not catch up"));
      role_change_.reset();
      return;
    }
    role_change_->catching_up = false;
  }
  if (!engine_->transferring() && engine_->has_committed_in_term())
    submit_role(*role_change_);
}

/// A live voter, best one that has the whole log; none leaves it to the engine.
member_id catalog_state::next_leader() const {
  auto result = member_id::none;
  auto current = machine_.state();
  for (auto& [id, who] : current.members) {
    if (id == config_.self.id || who.role != raft_role::voter
        || who.state != verdict::alive)
      continue;
    if (engine_->is_up_to_date(id))
      return id;
    result = id;
  }
  return result;
}

caf::result<done> catalog_state::on_transfer() {
  auto update = engine_->transfer(now(), engine_->leads() ? next_leader()
                                                          : member_id::none);
  if (!update)
    return update.error();
  leadership_->end();
  transfer_ = self_->make_response_promise<done>();
  auto promise = *transfer_;
  act(std::move(update));
  settle();
  return promise;
}

void catalog_state::finish_transfer() {
  if (!transfer_ || engine_->transferring())
    return;
  if (engine_->leads())
    transfer_->deliver(
      make_error(errc::timed_out, "no voter took over in time"));
  else
    transfer_->deliver(done{});
  transfer_.reset();
}

} // namespace troupe

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "discovery/membership/membership_state.hpp"
#include "discovery/peering/claims.hpp"
#include "messages/error.hpp"

// Founding a cluster, joining one, and staying in it.

namespace troupe {

const member* membership_state::own_entry(const cluster_state& state) const {
  auto i = state.members.find(config_.self.id);
  return i == state.members.end() ? nullptr : &i->second;
}

bool membership_state::is_registered(const cluster_state& state) const {
  auto* own = own_entry(state);
  return own != nullptr && own->info.incarnation == config_.self.incarnation
         && own->state != verdict::down;
}

bool membership_state::is_outdated(const cluster_state& state, member_id who,
                                   std::uint64_t incarnation) {
  auto i = state.members.find(who);
  return i != state.members.end() && i->second.info.incarnation > incarnation;
}

void membership_state::bind(const cluster_state& state) {
  // A node that catches up sees the uuid from before a recovery first.
  if (bound_ || !state.caught_up || state.cluster_uuid.empty())
    return;
  auto problem = sources_.own_identity->bind_to_cluster(state.cluster_name,
                                                        state.cluster_uuid);
  if (problem) {
    spdlog::critical("membership: {}", describe(problem).detail);
    self_->quit(problem);
    return;
  }
  bound_ = true;
}

void membership_state::warn_of_routes(const cluster_state& state) {
  auto warning = state.different_routes(config_.self.id);
  if (std::exchange(routes_warning_, warning) != warning && !warning.empty())
    spdlog::warn("membership: {}", warning);
}

void membership_state::seek(const cluster_state& state) {
  if (seeking_ || now() < next_attempt_)
    return;
  next_attempt_ = now() + jittered(retry_interval);
  if (state.leader == config_.self.id) {
    join_at(self_);
    return;
  }
  if (auto leading = membership_of(state.leader)) {
    join_at(leading);
    return;
  }
  if (!peers_.empty())
    if (auto any = membership_of(any_peer()))
      join_at(any);
  if (sources_.own_identity->get().cluster_uuid.empty()
      && state.cluster_uuid.empty())
    found();
}

void membership_state::join_at(const membership_actor& member) {
  seeking_ = true;
  self_->request(member, request_timeout, join_request{config_.self})
    .then(
      [this](const done&) {
        seeking_ = false;
        refused_because_.clear();
      },
      [this](const caf::error& problem) {
        seeking_ = false;
        auto why = describe(problem);
        if (why.code != errc::conflict && why.code != errc::incompatible)
          return;
        if (std::exchange(refused_because_, why.detail) != why.detail)
          spdlog::error("membership: the cluster refuses this node: {}",
                        why.detail);
      });
}

void membership_state::found() {
  auto question = founding_->next_question(connected_peers(), now());
  if (!question)
    self_->quit(std::move(question.error()));
  else if (founding_->decided())
    bootstrap();
  else if (*question)
    ask_for_pledges(**question);
}

void membership_state::ask_for_pledges(const founding::question& what) {
  for (auto& [id, info] : peers_) {
    auto peer = membership_of(id);
    if (!peer)
      continue;
    self_
      ->request(peer, request_timeout,
                pledge_request{config_.self, config_.cluster_name, what.binding,
                               what.pledges})
      .then(
        [this, id = id](const pledge& x) {
          if (x.voter == id && founding_->count(x, now()))
            found();
        },
        [](const caf::error&) {});
  }
}

void membership_state::bootstrap() {
  auto target = catalog();
  if (!target || std::exchange(bootstrapping_, true))
    return;
  spdlog::info("membership: founding cluster '{}' of {} expected node(s)",
               config_.cluster_name, config_.expected_nodes);
  next_attempt_ = now() + jittered(request_timeout);
  self_
    ->request(target, request_timeout, bootstrap_cluster{config_.cluster_name})
    .then([this](const done&) { bootstrapping_ = false; },
          [this](const caf::error& problem) {
            bootstrapping_ = false;
            spdlog::warn("membership: founding failed: {}",
                         describe(problem).detail);
          });
}

caf::result<pledge> membership_state::promise_to(const pledge_request& x) {
  if (!sources_.own_identity->get().cluster_uuid.empty()
      || !sources_.view->get()->cluster_uuid.empty())
    return pledge{config_.self.id, member_id::none, true};
  auto before = founding_->pledged_to();
  auto given = founding_->answer(x, now());
  if (!given)
    return given.error();
  if (before != founding_->pledged_to())
    spdlog::info("membership: pledged to follow {} ({}) in founding '{}'",
                 x.founder.name, to_string(x.founder.id), config_.cluster_name);
  return *given;
}

caf::result<done> membership_state::take_in(const join_request& x) {
  if (auto problem = check_claims(x.info))
    return problem;
  auto state = sources_.view->get();
  if (state->leader == config_.self.id) {
    // Whoever has just come has sent nothing else yet.
    if (!is_outdated(*state, x.info.id, x.info.incarnation))
      known_[x.info.id].heard = now();
    return propose_for_caller(register_node{x.info});
  }
  auto leading = membership_of(state->leader);
  if (!leading)
    return make_error(errc::no_quorum, "no leader is known to this node");
  if (x.passed_on)
    return make_error(errc::no_quorum, "this node does not lead");
  // Not delegated: the leader may have no connection to answer the newcomer on.
  auto promise = self_->make_response_promise<done>();
  self_->request(leading, request_timeout, join_request{x.info, true})
    .then([promise](const done& taken) mutable { promise.deliver(taken); },
          [promise](const caf::error& problem) mutable {
            promise.deliver(problem);
          });
  return promise;
}

caf::result<done> membership_state::propose_for_caller(command_body body) {
  auto target = catalog();
  if (!target)
    return make_error(errc::unavailable, "the catalog is restarting");
  auto promise = self_->make_response_promise<done>();
  self_->request(target, request_timeout, propose{std::move(body)})
    .then(
      [promise](const apply_result& result) mutable {
        if (auto problem = result.failure())
          promise.deliver(problem);
        else
          promise.deliver(done{});
      },
      [promise](const caf::error& problem) mutable {
        promise.deliver(problem);
      });
  return promise;
}

// -- staying ------------------------------------------------------------------

void membership_state::renew(const cluster_state& state) {
  if (!is_registered(state) || renewing_ || now() < next_renewal_)
    return;
  auto sent_at = now();
  auto next = sent_at + config_.timers.down_after / 5;
  if (state.leader == config_.self.id) {
    if (!sources_.leadership->held(sent_at))
      return;
    accept({state.term, config_.timers.down_after.count(), {}}, sent_at);
    next_renewal_ = next;
    return;
  }
  auto asked = membership_of(state.leader);
  // Without a leader only to hear whether the cluster goes on without us.
  if (!asked && !peers_.empty())
    asked = membership_of(any_peer());
  if (!asked)
    return;
  renewing_ = true;
  next_renewal_ = next;
  self_
    ->request(asked, config_.timers.suspect_after,
              renew_lease{config_.self.id, config_.self.incarnation})
    .then(
      [this, sent_at](const lease_grant& given) {
        renewing_ = false;
        accept(given, sent_at);
      },
      [this](const caf::error&) {
        renewing_ = false;
        next_renewal_ = now() + tick_interval / 2;
      });
}

void membership_state::accept(const lease_grant& given, steady_time sent_at) {
  if (!given.dismissed_for.empty())
    return obey_dismissal(given.dismissed_for);
  if (said_goodbye_)
    return;
  // No node grants more than all have agreed on, whatever it says.
  auto granted = std::clamp(milliseconds{given.duration_ms}, milliseconds{0},
                            config_.timers.down_after);
  // Clocks may drift apart by a tenth.
  sources_.roles->extend(sent_at, sent_at + granted * 9 / 10, now());
}

member_id membership_state::any_peer() {
  auto i = std::next(peers_.begin(),
                     static_cast<std::ptrdiff_t>(random_() % peers_.size()));
  return i->first;
}

void membership_state::obey_dismissal(const std::string& reason) {
  if (std::exchange(dismissed_, true))
    return;
  sources_.roles->end();
  dismissed_because_ = reason;
  spdlog::warn("membership: this node was removed from the cluster: {}",
               reason);
  config_.on_dismissed();
}

} // namespace troupe

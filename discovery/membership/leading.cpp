#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "discovery/membership/membership_state.hpp"
#include "messages/error.hpp"

// What the leader's membership does. Each of its commands carries the term in
// which it was decided, so none has an effect under the next leader.

namespace troupe {

namespace {

/// Members that are asked about one in doubt (SWIM's k).
constexpr std::size_t witnesses_asked = 3;

} // namespace

void membership_state::lead(const cluster_state& state) {
  if (!leader_since_)
    begin_to_lead();
  auto gone = note_absences(state);
  judge(state);
  for (auto& x : forgettable_members(state, gone, config_.timers))
    propose_about(x.node, x, state.term);
  change_role(state, gone);
  settle_departures(state);
}

void membership_state::begin_to_lead() {
  leader_since_ = now();
  for (auto& [id, seen] : known_) {
    seen.heard.reset();
    seen.witnesses.clear();
  }
}

void membership_state::stop_leading() {
  leader_since_.reset();
  gone_since_.clear();
  for (auto& x : std::exchange(departures_, {}))
    x.promise.deliver(make_error(errc::no_quorum, "this node leads no more"));
}

absences membership_state::note_absences(const cluster_state& state) {
  auto is_gone = [&](member_id id) {
    auto i = state.members.find(id);
    return i != state.members.end()
           && (i->second.state == verdict::down
               || i->second.state == verdict::left);
  };
  std::erase_if(gone_since_, [&](auto& x) { return !is_gone(x.first); });
  for (auto& [id, who] : state.members)
    if (is_gone(id))
      gone_since_.try_emplace(id, now());
  absences result;
  for (auto& [id, since] : gone_since_)
    result[id] = std::chrono::duration_cast<milliseconds>(now() - since);
  return result;
}

void membership_state::judge(const cluster_state& state) {
  observer by{config_.self.id, now(), *leader_since_, health_.patience()};
  auto found = judge_members(state, known_, by, config_.timers);
  for (auto& given : found.verdicts)
    propose_about(given.node, given, state.term);
  for (auto about : found.doubtful)
    ask_witnesses(state, about);
}

void membership_state::ask_witnesses(const cluster_state& state,
                                     member_id about) {
  auto& next = next_question_[about];
  if (now() < next)
    return;
  next = now() + tick_interval;
  std::vector<membership_actor> others;
  for (auto& [id, info] : peers_) {
    auto i = state.members.find(id);
    if (id == about || i == state.members.end()
        || i->second.state != verdict::alive)
      continue;
    if (auto handle = membership_of(id))
      others.push_back(std::move(handle));
  }
  std::shuffle(others.begin(), others.end(), random_);
  if (others.size() > witnesses_asked)
    others.resize(witnesses_asked);
  auto incarnation = state.members.at(about).info.incarnation;
  for (auto& other : others)
    self_->request(other, request_timeout, probe_request{about, incarnation})
      .then(
        [this](const probe_report& x) {
          hear(x);
          act();
        },
        [](const caf::error&) {});
}

caf::result<probe_report> membership_state::probe(const probe_request& x) {
  probe_report report{config_.self.id, x.about, x.incarnation, reach::silent};
  auto i = known_.find(x.about);
  auto linked = i != known_.end() && i->second.link.connected
                && i->second.link.incarnation == x.incarnation;
  auto target = membership_of(x.about);
  if (!linked || !target) {
    if (i != known_.end() && i->second.link.refused)
      report.found = reach::refused;
    return report;
  }
  auto promise = self_->make_response_promise<probe_report>();
  self_
    ->request(target, config_.timers.suspect_after * health_.patience() / 2,
              ping{})
    .then(
      [promise, report](const pong& answer) mutable {
        if (answer.incarnation == report.incarnation)
          report.found = reach::reachable;
        promise.deliver(report);
      },
      [promise, report](const caf::error&) mutable {
        promise.deliver(report);
      });
  return promise;
}

void membership_state::hear(const probe_report& x) {
  auto state = sources_.view->get();
  auto i = state->members.find(x.about);
  if (i != state->members.end() && i->second.info.incarnation == x.incarnation
      && state->members.contains(x.reporter))
    known_[x.about].witnesses[x.reporter] = {x.found, now()};
}

caf::result<lease_grant> membership_state::grant(const renew_lease& x) {
  auto state = sources_.view->get();
  auto i = state->members.find(x.id);
  if (i != state->members.end() && i->second.dismissed)
    return lease_grant{state->term, 0, i->second.reason};
  if (state->leader != config_.self.id || !leader_since_
      || !sources_.leadership->held(now()))
    return make_error(errc::not_leader, "this node does not lead");
  auto fits = i != state->members.end()
              && i->second.info.incarnation == x.incarnation
              && (i->second.state == verdict::alive
                  || i->second.state == verdict::suspect);
  if (!fits)
    return make_error(errc::conflict,
                      to_string(x.id) + " is no member that may act");
  known_[x.id].heard = now();
  // Whoever may be given up with this proposal must not act after it.
  if (proposed_.contains(x.id))
    return make_error(errc::conflict,
                      "a verdict on " + to_string(x.id) + " is on its way");
  return lease_grant{state->term, config_.timers.down_after.count(), {}};
}

void membership_state::change_role(const cluster_state& state,
                                   const absences& gone) {
  auto target = catalog();
  if (changing_role_ || now() < next_role_change_ || !target)
    return;
  auto change =
    plan_role_change(state, config_.max_voters, gone, config_.timers);
  if (!change)
    return;
  if (change->node == config_.self.id) {
    // Somebody else has to take this node's seat away.
    hand_over();
    return;
  }
  changing_role_ = true;
  auto finish = [this](milliseconds pause) {
    changing_role_ = false;
    next_role_change_ = now() + pause;
  };
  self_->request(target, 2 * request_timeout, *change)
    .then([finish](const done&) { finish(milliseconds{0}); },
          [this, finish](const caf::error& problem) {
            spdlog::debug("membership: changing a role: {}",
                          describe(problem).detail);
            finish(jittered(2 * retry_interval));
          });
}

void membership_state::settle_departures(const cluster_state& state) {
  auto settled = [&](departure& x) {
    auto i = state.members.find(x.who);
    if (i != state.members.end()
        && (i->second.state != verdict::left || loses_seat(state, i->second)))
      return false;
    x.promise.deliver(done{});
    return true;
  };
  std::erase_if(departures_, settled);
}

} // namespace troupe

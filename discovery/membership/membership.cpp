#include "discovery/membership/membership.hpp"

#include <utility>

#include "discovery/membership/membership_state.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

membership_actor::behavior_type membership(membership_state::pointer self,
                                           membership_config config,
                                           membership_sources sources) {
  outlive_strays(self);
  self->state.start(std::move(config), std::move(sources));
  return {
    [self](const peer_up& x) { self->state.connected(x); },
    [self](const peer_down& x) {
      self->state.disconnected(x);
      self->state.act();
    },
    [self](sessions_reset) { self->state.reset_sessions(); },
    [self](const pledge_request& x) { return self->state.promise_to(x); },
    [self](const join_request& x) { return self->state.take_in(x); },
    [self](const leave_request& x) { return self->state.let_go(x); },
    [self](const renew_lease& x) { return self->state.grant(x); },
    [self](const probe_request& x) { return self->state.probe(x); },
    [self](const probe_report& x) {
      self->state.hear(x);
      self->state.act();
    },
    [self](ping) { return self->state.answer_ping(); },
    [self](state_changed) { self->state.act(); },
    [self](tick) { self->state.on_tick(); },
    [self](get_status) { return self->state.status(); },
  };
}

} // namespace

void membership_state::start(membership_config config,
                             membership_sources sources) {
  config_ = std::move(config);
  sources_ = std::move(sources);
  random_.seed(config_.seed);
  auto own = sources_.own_identity;
  founding_.emplace(
    config_.self.id, config_.expected_nodes, own->get().pledge,
    [own](const pledge_record& x) { return own->keep_pledge(x); });
  notify_of_changes(sources_.view, self_->address());
  self_->send(self_, tick{});
}

membership_state::milliseconds membership_state::jittered(milliseconds base) {
  auto factor = std::uniform_real_distribution<>{0.75, 1.25}(random_);
  return milliseconds{
    static_cast<milliseconds::rep>(static_cast<double>(base.count()) * factor)};
}

catalog_actor membership_state::catalog() const {
  return sources_.names->local<catalog_actor>("catalog");
}

membership_actor membership_state::membership_of(member_id peer) const {
  return sources_.names->peer<membership_actor>(peer, "membership");
}

// -- links --------------------------------------------------------------------

void membership_state::connected(const peer_up& news) {
  peers_[news.info.id] = news.info;
  auto& seen = known_[news.info.id];
  if (seen.link.connected && seen.link.incarnation == news.info.incarnation)
    return;
  seen.link = {true, news.info.incarnation, now(), {}, false};
  seen.witnesses.clear();
}

void membership_state::disconnected(const peer_down& news) {
  auto& link = known_[news.id].link;
  if (!news.refused && link.connected && link.incarnation != news.incarnation)
    return;
  if (news.refused) {
    link.refused = !link.connected;
  } else {
    peers_.erase(news.id);
    founding_->lost(news.id);
    link = {false, news.incarnation, link.made, news.reason, false};
  }
  auto leader = sources_.view->get()->leader;
  if (leader == config_.self.id || leader == news.id || link.connected)
    return;
  if (auto leading = membership_of(leader))
    self_->send(leading,
                probe_report{config_.self.id, news.id, link.incarnation,
                             link.refused ? reach::refused : reach::silent});
}

void membership_state::reset_sessions() {
  peers_.clear();
  for (auto& [id, seen] : known_)
    if (seen.link.connected)
      seen.link = {false, seen.link.incarnation, seen.link.made,
                   "sessions were lost", false};
}

// -- what is due --------------------------------------------------------------

void membership_state::act() {
  auto state = sources_.view->get();
  bind(*state);
  if (state->leader == config_.self.id)
    lead(*state);
  else
    stop_leading();
  if (own_departure_)
    leave(*state);
  else if (!is_registered(*state))
    seek(*state);
  auto* own = own_entry(*state);
  if (own != nullptr && own->dismissed && state->leader != config_.self.id)
    obey_dismissal(own->reason);
  if (own != nullptr && own->info.incarnation == config_.self.incarnation
      && (own->state == verdict::down || own->state == verdict::left))
    sources_.roles->end();
  warn_of_routes(*state);
  renew(*state);
  tell_obstacle(*state);
}

void membership_state::on_tick() {
  health_.ticked(now(), tick_interval);
  act();
  self_->delayed_send(self_, tick_interval, tick{});
}

actor_status membership_state::status() const {
  actor_status result{name, {}};
  result.details["peers"] = std::to_string(peers_.size());
  result.details["leading"] = leader_since_ ? "yes" : "no";
  result.details["patience"] = std::to_string(health_.patience());
  result.details["lease"] = sources_.roles->held(now()) ? "held" : "ended";
  return result;
}

membership_actor spawn_membership(caf::actor_system& system,
                                  membership_config config,
                                  membership_sources sources) {
  return system.spawn(membership, std::move(config), std::move(sources));
}

} // namespace troupe

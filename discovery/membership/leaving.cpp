#include <algorithm>
#include <utility>

#include "discovery/membership/membership_state.hpp"
#include "messages/error.hpp"

// How a node goes in an orderly way.

namespace troupe {

caf::result<done> membership_state::let_go(const leave_request& x) {
  auto state = sources_.view->get();
  if (x.id == config_.self.id) {
    auto* own = own_entry(*state);
    if (!is_registered(*state) || own->state == verdict::left)
      return done{};
    own_departure_ = departure{x.id, self_->make_response_promise<done>()};
    return own_departure_->promise;
  }
  if (state->leader != config_.self.id)
    return make_error(errc::no_quorum, "this node does not lead");
  if (is_outdated(*state, x.id, x.incarnation))
    return make_error(errc::conflict,
                      to_string(x.id) + " runs as a newer process");
  // Whoever asks again has given up on the answer before.
  std::erase_if(departures_, [&](auto& before) { return before.who == x.id; });
  auto promise = self_->make_response_promise<done>();
  departures_.push_back({x.id, promise});
  propose_about(
    x.id,
    set_verdict{x.id, x.incarnation, verdict::left, "left by itself", x.id},
    state->term);
  return promise;
}

void membership_state::leave(const cluster_state& state) {
  if (now() < next_goodbye_)
    return;
  next_goodbye_ = now() + retry_interval;
  if (state.leader != config_.self.id) {
    if (auto leading = membership_of(state.leader))
      say_goodbye(leading);
    return;
  }
  if (!is_last_voter(state)) {
    hand_over();
    return;
  }
  own_departure_->promise.deliver(
    make_error(errc::conflict, "the last live voter can't leave"));
  own_departure_.reset();
}

bool membership_state::is_last_voter(const cluster_state& state) const {
  return std::none_of(state.members.begin(), state.members.end(), [&](auto& x) {
    return x.first != config_.self.id && x.second.role == raft_role::voter
           && x.second.state == verdict::alive;
  });
}

void membership_state::hand_over() {
  auto target = catalog();
  if (!target || handing_over_)
    return;
  handing_over_ = true;
  self_->request(target, request_timeout, transfer_leadership{})
    .then([this](const done&) { handing_over_ = false; },
          [this](const caf::error&) { handing_over_ = false; });
}

void membership_state::say_goodbye(const membership_actor& leading) {
  auto promise = own_departure_->promise;
  // First, because others take them as soon as the leader agrees.
  said_goodbye_ = true;
  sources_.roles->end();
  self_
    ->request(leading, request_timeout,
              leave_request{config_.self.id, config_.self.incarnation})
    .then(
      [this, promise](const done&) mutable {
        promise.deliver(done{});
        own_departure_.reset();
      },
      [](const caf::error&) {
        // Tried again at a later tick, perhaps with another leader.
      });
}

} // namespace troupe

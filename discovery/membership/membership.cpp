#include "discovery/membership/membership.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "discovery/catalog/catalog.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds tick_interval{200};
constexpr milliseconds retry_interval{250};
constexpr milliseconds request_timeout{3000};

/// A member on its way out, and who wants to know when it is.
struct departure {
  member_id who = member_id::none;
  caf::typed_response_promise<done> promise;
};

struct membership_state {
  static inline const char* name = "membership";

  membership_actor::pointer self;
  membership_config config;
  cluster_view view;
  directory_ptr names;
  std::shared_ptr<identity> own_identity;
  std::mt19937_64 random;

  std::map<member_id, link_view> links;
  std::map<member_id, node_info> peers;

  // Founding and joining.
  std::set<member_id> pledges;
  bool seeking = false;
  bool bound = false;
  steady_time next_attempt;

  // Leading.
  std::optional<steady_time> leader_since;
  std::set<member_id> proposed;
  bool changing_role = false;
  steady_time next_role_change;
  std::vector<departure> departures;

  // Leaving.
  std::optional<departure> own_departure;
  bool handing_over = false;
  steady_time next_goodbye;

  steady_time now() const { return self->clock().now(); }

  milliseconds jittered(milliseconds base) {
    auto factor = std::uniform_real_distribution<>{0.75, 1.25}(random);
    return milliseconds{static_cast<milliseconds::rep>(
      static_cast<double>(base.count()) * factor)};
  }

  catalog_actor catalog() const {
    return names->local<catalog_actor>("catalog");
  }

  membership_actor membership_of(member_id peer) const {
    return names->peer<membership_actor>(peer, "membership");
  }

  // -- links -----------------------------------------------------------------

  void connected(const peer_up& news) {
    peers[news.info.id] = news.info;
    auto& link = links[news.info.id];
    if (!link.connected || link.incarnation != news.info.incarnation)
      link = {true, news.info.incarnation, now(), {}, false};
  }

  void disconnected(const peer_down& news) {
    auto& link = links[news.id];
    if (news.refused) {
      link.refused = !link.connected;
      return;
    }
    peers.erase(news.id);
    pledges.erase(news.id);
    link = {false, news.incarnation, now(), news.reason, false};
  }

  // -- getting in ------------------------------------------------------------

  bool is_registered(const cluster_state& state) const {
    auto i = state.members.find(config.self.id);
    return i != state.members.end()
           && i->second.info.incarnation == config.self.incarnation
           && i->second.state != verdict::down;
  }

  void bind(const cluster_state& state) {
    if (bound || state.cluster_uuid.empty())
      return;
    auto problem =
      own_identity->bind_to_cluster(state.cluster_name, state.cluster_uuid);
    if (problem) {
      spdlog::critical("membership: {}", describe(problem).detail);
      self->quit(problem);
      return;
    }
    bound = true;
  }

  void seek(const cluster_state& state) {
    if (seeking || now() < next_attempt)
      return;
    next_attempt = now() + jittered(retry_interval);
    if (state.leader == config.self.id) {
      join_at(self);
      return;
    }
    if (auto leading = membership_of(state.leader)) {
      join_at(leading);
      return;
    }
    if (!peers.empty()) {
      auto i = std::next(peers.begin(),
                         static_cast<std::ptrdiff_t>(random() % peers.size()));
      if (auto any = membership_of(i->first))
        join_at(any);
    }
    if (own_identity->get().cluster_uuid.empty() && state.cluster_uuid.empty())
      found();
  }

  void join_at(const membership_actor& member) {
    seeking = true;
    self->request(member, request_timeout, join_request{config.self})
      .then([this](const done&) { seeking = false; },
            [this](const caf::error& problem) {
              seeking = false;
              auto why = describe(problem);
              if (why.code == errc::conflict || why.code == errc::incompatible)
                spdlog::error("membership: the cluster refuses this node: {}",
                              why.detail);
            });
  }

  /// The node with the smallest id gathers the others' pledges.
  void found() {
    if (config.expected_nodes == 0 || peers.size() + 1 < config.expected_nodes
        || (!peers.empty() && peers.begin()->first < config.self.id))
      return;
    auto own = own_identity->pledge_to(config.self.id);
    if (!own) {
      self->quit(own.error());
      return;
    }
    if (*own != config.self.id)
      return;
    pledges.insert(config.self.id);
    for (auto& [id, info] : peers) {
      if (auto peer = membership_of(id))
        self
          ->request(peer, request_timeout,
                    pledge_request{config.self, config.cluster_name})
          .then([this](const pledge& x) { count(x); },
                [](const caf::error&) {});
    }
    bootstrap_when_pledged();
  }

  void count(const pledge& x) {
    if (x.to != config.self.id)
      return;
    pledges.insert(x.voter);
    bootstrap_when_pledged();
  }

  void bootstrap_when_pledged() {
    if (pledges.size() < config.expected_nodes)
      return;
    auto target = catalog();
    if (!target)
      return;
    spdlog::info("membership: founding cluster '{}' with {} node(s)",
                 config.cluster_name, pledges.size());
    pledges.clear();
    next_attempt = now() + jittered(request_timeout);
    self
      ->request(target, request_timeout, bootstrap_cluster{config.cluster_name})
      .then([](const done&) {},
            [](const caf::error& problem) {
              spdlog::warn("membership: founding failed: {}",
                           describe(problem).detail);
            });
  }

  caf::result<pledge> promise_to(const pledge_request& x) {
    if (bound || !own_identity->get().cluster_uuid.empty())
      return pledge{config.self.id, member_id::none};
    auto given = own_identity->pledge_to(x.founder.id);
    if (!given)
      return given.error();
    if (*given != x.founder.id)
      spdlog::warn("membership: {} asks for a pledge, but this node follows {}",
                   x.founder.name, to_string(*given));
    return pledge{config.self.id, *given};
  }

  caf::result<done> take_in(const join_request& x) {
    auto state = view->get();
    if (state->leader == config.self.id)
      return propose_for_caller(register_node{x.info});
    if (auto leading = membership_of(state->leader))
      return self->delegate(leading, x);
    return make_error(errc::no_quorum, "no leader is known to this node");
  }

  caf::result<done> propose_for_caller(command_body body) {
    auto target = catalog();
    if (!target)
      return make_error(errc::unavailable, "the catalog is restarting");
    auto promise = self->make_response_promise<done>();
    self->request(target, request_timeout, propose{std::move(body)})
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

  // -- leading ---------------------------------------------------------------

  void lead(const cluster_state& state) {
    if (!leader_since)
      leader_since = now();
    for (auto& given : judge_members(state, config.self.id, links, now(),
                                     *leader_since, config.timers))
      propose_about(given.node, given);
    for (auto& gone : forgettable_members(state, unix_now(), config.timers))
      propose_about(gone.node, gone);
    change_role(state);
    settle_departures(state);
  }

  /// One proposal per member at a time; what still holds is proposed again.
  template <class Command>
  void propose_about(member_id who, const Command& what) {
    auto target = catalog();
    if (!target || !proposed.insert(who).second)
      return;
    self->request(target, request_timeout, propose{what})
      .then([this, who](const apply_result&) { proposed.erase(who); },
            [this, who](const caf::error&) { proposed.erase(who); });
  }

  void change_role(const cluster_state& state) {
    auto target = catalog();
    if (changing_role || now() < next_role_change || !target)
      return;
    auto change =
      plan_role_change(state, config.max_voters, unix_now(), config.timers);
    if (!change)
      return;
    changing_role = true;
    auto finish = [this](milliseconds pause) {
      changing_role = false;
      next_role_change = now() + pause;
    };
    self->request(target, 2 * request_timeout, *change)
      .then([finish](const done&) { finish(milliseconds{0}); },
            [this, finish](const caf::error& problem) {
              spdlog::debug("membership: changing a role: {}",
                            describe(problem).detail);
              finish(jittered(2 * retry_interval));
            });
  }

  void settle_departures(const cluster_state& state) {
    auto settled = [&](departure& x) {
      auto i = state.members.find(x.who);
      if (i != state.members.end() && i->second.role != raft_role::none)
        return false;
      x.promise.deliver(done{});
      return true;
    };
    departures.erase(
      std::remove_if(departures.begin(), departures.end(), settled),
      departures.end());
  }

  // -- leaving ---------------------------------------------------------------

  caf::result<done> let_go(const leave_request& x) {
    auto state = view->get();
    auto promise = self->make_response_promise<done>();
    if (x.id == config.self.id) {
      if (!is_registered(*state))
        return done{};
      own_departure = departure{x.id, promise};
      return promise;
    }
    if (state->leader != config.self.id)
      return make_error(errc::no_quorum, "this node does not lead");
    departures.push_back({x.id, promise});
    propose_about(x.id, set_verdict{x.id, x.incarnation, verdict::left,
                                    "left by itself", x.id});
    return promise;
  }

  void leave(const cluster_state& state) {
    if (now() < next_goodbye)
      return;
    next_goodbye = now() + retry_interval;
    if (state.leader == config.self.id)
      hand_over(state);
    else if (auto leading = membership_of(state.leader))
      say_goodbye(leading);
  }

  void hand_over(const cluster_state& state) {
    auto alone =
      std::none_of(state.members.begin(), state.members.end(), [&](auto& x) {
        return x.first != config.self.id && x.second.role == raft_role::voter
               && x.second.state == verdict::alive;
      });
    if (alone) {
      own_departure->promise.deliver(
        make_error(errc::conflict, "the last live voter can't leave"));
      own_departure.reset();
      return;
    }
    auto target = catalog();
    if (!target || handing_over)
      return;
    handing_over = true;
    self->request(target, request_timeout, transfer_leadership{})
      .then([this](const done&) { handing_over = false; },
            [this](const caf::error&) { handing_over = false; });
  }

  void say_goodbye(const membership_actor& leading) {
    auto promise = own_departure->promise;
    self
      ->request(leading, request_timeout,
                leave_request{config.self.id, config.self.incarnation})
      .then(
        [this, promise](const done&) mutable {
          promise.deliver(done{});
          own_departure.reset();
        },
        [](const caf::error&) {
          // Tried again at a later tick, perhaps with another leader.
        });
  }

  void act() {
    auto state = view->get();
    bind(*state);
    if (state->leader == config.self.id)
      lead(*state);
    else
      leader_since.reset();
    if (own_departure)
      leave(*state);
    else if (!is_registered(*state))
      seek(*state);
  }
};

membership_actor::behavior_type
membership(membership_actor::stateful_pointer<membership_state> self,
           membership_config config, cluster_view view, directory_ptr names,
           std::shared_ptr<identity> own_identity) {
  auto& state = self->state;
  state.self = self;
  state.config = std::move(config);
  state.view = std::move(view);
  state.names = std::move(names);
  state.own_identity = std::move(own_identity);
  state.random.seed(state.config.seed);
  notify_of_changes(state.view, self->address());
  self->send(self, tick{});
  return {
    [self](const peer_up& x) { self->state.connected(x); },
    [self](const peer_down& x) {
      self->state.disconnected(x);
      self->state.act();
    },
    [self](const pledge_request& x) { return self->state.promise_to(x); },
    [self](const join_request& x) { return self->state.take_in(x); },
    [self](const leave_request& x) { return self->state.let_go(x); },
    [self](state_changed) { self->state.act(); },
    [self](const tick&) {
      self->state.act();
      self->delayed_send(self, tick_interval, tick{});
    },
    [self](const get_status&) {
      auto& state = self->state;
      actor_status result{"membership", {}};
      result.details["peers"] = std::to_string(state.peers.size());
      result.details["leading"] = state.leader_since ? "yes" : "no";
      return result;
    },
  };
}

} // namespace

membership_actor spawn_membership(caf::actor_system& system,
                                  membership_config config, cluster_view view,
                                  directory_ptr names,
                                  std::shared_ptr<identity> self_identity) {
  return system.spawn(membership, std::move(config), std::move(view),
                      std::move(names), std::move(self_identity));
}

} // namespace troupe

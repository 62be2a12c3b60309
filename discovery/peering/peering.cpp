#include "discovery/peering/peering.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "discovery/peering/claims.hpp"
#include "discovery/peering/compatibility.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

/// Between two looks for due dials, and when every address has a session.
constexpr std::chrono::milliseconds tick_interval{100};
constexpr std::chrono::milliseconds calm_tick_interval{400};

/// The part of `catalog` and `membership` that hears of sessions.
using session_listener =
  caf::typed_actor<caf::reacts_to<peer_up>, caf::reacts_to<peer_down>,
                   caf::reacts_to<sessions_reset>>;

struct dial_state {
  bool in_progress = false;
  std::uint32_t failures = 0;
  caf::actor_clock::time_point next;
  /// When a peer source last named it.
  caf::actor_clock::time_point named;
  /// Whose own address it is, once known: if it refuses, that node is gone.
  member_id owner = member_id::none;
  /// Who answered there last. It may be another name of a node's address, or
  /// one of many nodes.
  member_id answered = member_id::none;
  /// The last refusal, so that each is logged once.
  std::string last_problem;
};

struct session {
  node_info info;
  actor_names actors;
  caf::strong_actor_ptr peering;

  /// Whether the process at its other end says this: not one that had the id
  /// before, nor a copy of it.
  bool is_source_of(const peer_up& news) const {
    auto i = news.actors.find("peering");
    return news.info.incarnation == info.incarnation && i != news.actors.end()
           && i->second == peering;
  }
};

struct peering_state {
  static inline const char* name = "peering";

  peering_actor::pointer self;
  peering_config config;
  dialer_actor dialer;
  cluster_view view;
  directory_ptr names;
  cluster_uuid_function cluster_uuid;
  std::mt19937_64 random;
  std::map<endpoint, dial_state> addresses;
  std::map<member_id, session> sessions;
  std::uint64_t seen_state = 0;
  std::uint64_t seen_names = 0;
  actor_names sent_actors;
  std::map<std::string, caf::actor_addr, std::less<>> told_listeners;

  // -- what we say of ourselves ----------------------------------------------

  /// This node's actors that others may talk to: not those bound to its disk
  /// and its connections.
  actor_names public_actors() const {
    actor_names result;
    auto current = names->get();
    for (auto& [actor_name, handle] : current->local)
      if (actor_name != "raft_log" && actor_name.rfind("http_", 0) != 0)
        result.emplace(actor_name, handle);
    result["peering"] = caf::actor_cast<caf::strong_actor_ptr>(self);
    return result;
  }

  hello make_hello() const {
    return {config.self, config.cluster_name, cluster_uuid(),
            config.shared_settings, public_actors()};
  }

  // -- sessions --------------------------------------------------------------

  /// Errors: incompatible.
  caf::error admit(const hello& own, const hello& other) {
    if (auto problem = check_claims(other))
      return problem;
    if (auto problem = check_compatible(own, other))
      return problem;
    return begin_session(other);
  }

  /// Errors: incompatible (another process runs under that id).
  caf::error begin_session(const hello& other) {
    auto i = other.actors.find("peering");
    auto known = sessions.find(other.info.id);
    auto is_new = known == sessions.end()
                  || known->second.info.incarnation != other.info.incarnation;
    if (!is_new && known->second.peering->node() != i->second->node())
      return duplicate(known->second.info, other.info);
    if (!is_new && known->second.peering == i->second) {
      known->second.actors = other.actors;
      announce(known->second);
      return caf::none;
    }
    if (known != sessions.end()
        && known->second.info.incarnation > other.info.incarnation)
      return duplicate(known->second.info, other.info);
    if (known != sessions.end()) {
      self->demonitor(known->second.peering->address());
      forget_answers_of(other.info.id);
    }
    auto& current = sessions[other.info.id];
    current = {other.info, other.actors, i->second};
    self->monitor(i->second->address());
    take_own_address(other.info);
    spdlog::info("peering: session with {} ({}) at {}", other.info.name,
                 to_string(other.info.id), to_string(other.info.cluster));
    announce(current);
    return caf::none;
  }

  /// Two processes of one id would vote twice.
  static caf::error duplicate(const node_info& first, const node_info& second) {
    return make_error(
      errc::incompatible,
      "two processes run under the id " + to_string(first.id) + ": "
        + first.name + " at " + to_string(first.cluster) + " and " + second.name
        + " at " + to_string(second.cluster) + "; was a data directory copied?",
      "node.dataDirectory");
  }

  /// Whoever had the address before is gone from there. One that still has a
  /// session is not given up before that ends.
  void take_own_address(const node_info& info) {
    for (auto& [where, address] : addresses)
      if (address.owner == info.id)
        address.owner = member_id::none;
    auto before = std::exchange(addresses[info.cluster].owner, info.id);
    answered_at(info.cluster, info.id);
    if (before != member_id::none && !sessions.contains(before))
      tell_gone(before, info.name + " answers at its address");
  }

  /// The end of a session does not tell whether the process is gone. This does.
  void tell_gone(member_id who, std::string why) {
    tell_listeners(peer_down{who, 0, std::move(why), true});
  }

  /// Their addresses are to be dialled again.
  void forget_answers_of(member_id who) {
    for (auto& [where, address] : addresses)
      if (address.answered == who) {
        address.answered = member_id::none;
        address.failures = 0;
        address.next = self->clock().now();
      }
  }

  void answered_at(const endpoint& where, member_id who) {
    auto& address = addresses[where];
    address.answered = who;
    address.failures = 0;
  }

  void announce(const session& current) {
    names->put_peer(current.info.id, current.actors);
    tell_listeners(peer_up{current.info, current.actors});
  }

  void end_session(const caf::actor_addr& who, const caf::error& reason) {
    auto i = std::find_if(sessions.begin(), sessions.end(), [&](auto& x) {
      return x.second.peering->address() == who;
    });
    if (i == sessions.end())
      return;
    auto info = i->second.info;
    spdlog::warn("peering: lost {} ({}): {}", info.name, to_string(info.id),
                 caf::to_string(reason));
    names->erase_peer(info.id);
    tell_listeners(
      peer_down{info.id, info.incarnation, "connection closed", false});
    sessions.erase(i);
    if (auto* successor = successor_of(info))
      tell_gone(info.id, successor->info.name + " answers at its address");
    forget_answers_of(info.id);
    dial_due();
  }

  /// Who answers at the address of `gone` now; null: nobody else.
  const session* successor_of(const node_info& gone) const {
    auto address = addresses.find(gone.cluster);
    if (address == addresses.end() || address->second.owner == gone.id)
      return nullptr;
    auto i = sessions.find(address->second.owner);
    return i != sessions.end() ? &i->second : nullptr;
  }

  template <class Message>
  void tell_listeners(const Message& what) {
    for (auto listener : {"catalog", "membership"})
      if (auto handle = names->local<session_listener>(listener))
        self->send(handle, what);
  }

  /// A listener that was restarted has forgotten the sessions.
  void tell_new_listeners() {
    for (auto listener : {"catalog", "membership"}) {
      auto handle = names->local<session_listener>(listener);
      if (!handle || told_listeners[listener] == handle.address())
        continue;
      told_listeners[listener] = handle.address();
      // It may know of sessions that ended while this actor was restarted.
      self->send(handle, sessions_reset{});
      for (auto& [id, current] : sessions)
        self->send(handle, peer_up{current.info, current.actors});
    }
  }

  /// Peers hold handles of our actors: a restarted actor has a new one.
  void spread_changed_actors() {
    if (names->version() == seen_names)
      return;
    seen_names = names->version();
    auto actors = public_actors();
    if (actors == sent_actors)
      return;
    for (auto& [id, current] : sessions)
      self->send(caf::actor_cast<peering_actor>(current.peering),
                 peer_up{config.self, actors});
    sent_actors = std::move(actors);
  }

  // -- dialling --------------------------------------------------------------

  void add_address(const endpoint& where) {
    if (where != config.self.cluster)
      addresses[where].named = self->clock().now();
  }

  /// Hosts come and go, and each of them would be dialled for ever.
  void forget_unnamed_addresses() {
    auto current = view->get();
    auto is_members = [&](const endpoint& where) {
      return std::any_of(current->members.begin(), current->members.end(),
                         [&](auto& x) {
                           return x.second.state != verdict::left
                                  && x.second.info.cluster == where;
                         });
    };
    auto limit = self->clock().now() - config.forget_unnamed;
    std::erase_if(addresses, [&](auto& x) {
      return x.second.named < limit && !x.second.in_progress
             && !sessions.contains(x.second.answered) && !is_members(x.first);
    });
  }

  /// Members are dialled wherever their addresses came from.
  void read_members() {
    if (view->version() == seen_state)
      return;
    seen_state = view->version();
    auto current = view->get();
    for (auto& [id, who] : current->members)
      if (id != config.self.id && who.state != verdict::left)
        add_address(who.info.cluster);
  }

  void dial_due() {
    auto now = self->clock().now();
    for (auto& [where, dialled] : addresses)
      if (!dialled.in_progress && dialled.next <= now
          && !sessions.contains(dialled.answered))
        dial(where, dialled);
  }

  bool is_calm() const {
    return std::all_of(addresses.begin(), addresses.end(), [&](auto& x) {
      return sessions.contains(x.second.answered);
    });
  }

  void dial(const endpoint& where, dial_state& dialled) {
    dialled.in_progress = true;
    self
      ->request(dialer, caf::infinite, caf::connect_atom::value, where.host,
                where.port)
      .then(
        [this, where](const caf::node_id&, caf::strong_actor_ptr& other,
                      const std::set<std::string>&) { greet(where, other); },
        [this, where](const caf::error& problem) {
          dial_failed(where, problem);
        });
  }

  void greet(const endpoint& where, const caf::strong_actor_ptr& other) {
    if (!other || other->node() == self->node()) {
      // Our own port, or nothing published there.
      dial_failed(where, make_error(errc::unavailable, "no node there"));
      return;
    }
    self
      ->request(caf::actor_cast<peering_actor>(other), config.hello_timeout,
                make_hello())
      .then([this, where](const hello& answer) { greeted(where, answer); },
            [this, where](const caf::error& problem) {
              dial_failed(where, problem);
            });
  }

  void greeted(const endpoint& where, const hello& answer) {
    auto& dialled = addresses[where];
    dialled.in_progress = false;
    if (answer.info.id == config.self.id) {
      if (answer.info.incarnation != config.self.incarnation
          || answer.info.cluster != config.self.cluster)
        spdlog::critical("peering: {}",
                         describe(duplicate(config.self, answer.info)).detail);
      addresses.erase(where);
      return;
    }
    if (auto problem = admit(make_hello(), answer)) {
      dial_failed(where, problem);
      return;
    }
    answered_at(where, answer.info.id);
    dialled.last_problem.clear();
  }

  void dial_failed(const endpoint& where, const caf::error& problem) {
    auto& dialled = addresses[where];
    dialled.in_progress = false;
    auto view_of_problem = describe(problem);
    auto text = view_of_problem.code == errc::incompatible
                  ? view_of_problem.detail
                  : caf::to_string(problem);
    if (view_of_problem.code == errc::incompatible
        && text != dialled.last_problem)
      spdlog::error("peering: {} refused: {}", to_string(where), text);
    dialled.last_problem = text;
    auto doubled = config.min_backoff * (1 << std::min(dialled.failures, 10u));
    auto backoff =
      std::min<std::chrono::milliseconds>(doubled, config.max_backoff);
    ++dialled.failures;
    auto jitter = std::uniform_real_distribution<>{0.5, 1.0}(random);
    dialled.next = self->clock().now()
                   + std::chrono::milliseconds{static_cast<std::int64_t>(
                     static_cast<double>(backoff.count()) * jitter)};
    if (is_refused_connection(problem) && dialled.owner != member_id::none
        && !sessions.contains(dialled.owner))
      tell_gone(dialled.owner, "connection refused");
  }
};

} // namespace

static peering_actor::behavior_type
peering(peering_actor::stateful_pointer<peering_state> self,
        peering_config config, dialer_actor dialer, cluster_view view,
        directory_ptr names, cluster_uuid_function cluster_uuid) {
  outlive_strays(self);
  auto& state = self->state;
  state.self = self;
  state.config = std::move(config);
  state.dialer = std::move(dialer);
  state.view = std::move(view);
  state.names = std::move(names);
  state.cluster_uuid = std::move(cluster_uuid);
  state.random.seed(state.config.seed);
  // Those of its predecessor, whose end nobody would notice.
  state.names->erase_peers();
  self->set_down_handler([self](caf::down_msg& down) {
    self->state.end_session(down.source, down.reason);
  });
  self->send(self, tick{});
  return {
    [self](const hello& greeting) -> caf::result<hello> {
      auto& state = self->state;
      auto own = state.make_hello();
      if (greeting.info.id == own.info.id)
        return own;
      if (auto problem = state.admit(own, greeting)) {
        // Its name is not for the log where it is none.
        auto who =
          check_claims(greeting.info)
            ? std::string{"a node"}
            : greeting.info.name + " at " + to_string(greeting.info.cluster);
        spdlog::error("peering: refused {}: {}", who, describe(problem).detail);
        return problem;
      }
      return own;
    },
    [self](const peer_up& news) {
      auto i = self->state.sessions.find(news.info.id);
      if (i == self->state.sessions.end() || !i->second.is_source_of(news)
          || check_claims(news.actors))
        return;
      i->second.actors = news.actors;
      self->state.announce(i->second);
    },
    [self](const peer_candidates& found) {
      for (auto& where : found.addresses)
        self->state.add_address(where);
    },
    [self](const tick&) {
      auto& state = self->state;
      state.read_members();
      state.tell_new_listeners();
      state.spread_changed_actors();
      state.forget_unnamed_addresses();
      state.dial_due();
      self->delayed_send(
        self, state.is_calm() ? calm_tick_interval : tick_interval, tick{});
    },
    [self](const get_status&) {
      actor_status result{"peering", {}};
      for (auto& [id, current] : self->state.sessions)
        result.details[current.info.name] = to_string(current.info.cluster);
      return result;
    },
  };
}

peering_actor spawn_peering(caf::actor_system& system, peering_config config,
                            dialer_actor dialer, cluster_view view,
                            directory_ptr names,
                            cluster_uuid_function cluster_uuid) {
  return system.spawn(peering, std::move(config), std::move(dialer),
                      std::move(view), std::move(names),
                      std::move(cluster_uuid));
}

} // namespace troupe

#define CAF_SUITE peering

#include "discovery/peering/peering.hpp"

#include <algorithm>

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

node_info make_info(std::uint64_t id, std::string name) {
  node_info result;
  result.id = member_id{id};
  result.name = std::move(name);
  result.incarnation = 1;
  result.cluster = {"127.0.0." + std::to_string(id), 7946};
  return result;
}

/// What a node says of itself, and what it heard.
struct peer_script {
  hello own;
  bool silent = false;
  int greeted = 0;
  std::vector<peer_up> news;
};

struct stand_in : caf::event_based_actor {
  peer_script* script;

  stand_in(caf::actor_config& cfg, peer_script* script)
    : event_based_actor(cfg), script(script) {}

  caf::behavior make_behavior() override {
    return {
      [this](const hello&) -> caf::result<hello> {
        ++script->greeted;
        if (script->silent)
          return make_response_promise<hello>();
        return script->own;
      },
      [this](const peer_up& x) { script->news.push_back(x); },
    };
  }
};

/// Another process: its peering actor has a node of its own.
struct far_node {
  peer_script script;
  caf::node_id node;
  caf::strong_actor_ptr peering;

  far_node(caf::actor_system& sys, std::uint32_t process, node_info info)
    : node(caf::make_node_id(process,
                             caf::node_id::default_data::host_id_type{{1}})) {
    script.own.info = std::move(info);
    script.own.cluster_name = "troupe";
    caf::actor_config config;
    peering = caf::make_actor<stand_in, caf::strong_actor_ptr>(
      sys.next_actor_id(), node, &sys, config, &script);
    static_cast<stand_in*>(peering->get())
      ->launch(sys.dummy_execution_unit(), false, false);
    script.own.actors = {{"peering", peering}, {"balancer", peering}};
  }

  ~far_node() { stop(); }

  void stop() { caf::anon_send_exit(peering, caf::exit_reason::kill); }
};

/// What `catalog` and `membership` are told.
struct listener_log {
  std::vector<peer_up> up;
  std::vector<peer_down> down;
  int resets = 0;
};

caf::behavior listen(caf::event_based_actor*, listener_log* log) {
  return {
    [log](const peer_up& x) { log->up.push_back(x); },
    [log](const peer_down& x) { log->down.push_back(x); },
    [log](const sessions_reset&) { ++log->resets; },
  };
}

struct dialled {
  endpoint where;
  caf::actor_clock::time_point at;
};

struct fixture : test_coordinator_fixture<config> {
  directory_ptr names = std::make_shared<directory>();
  cluster_view view = std::make_shared<published<cluster_state>>();
  listener_log heard;
  caf::actor listener = sys.spawn(listen, &heard);
  /// Who answers where; nobody else listens.
  std::map<endpoint, far_node*> network;
  std::vector<dialled> dials;
  caf::actor dialer = sys.spawn([this] { return dial(); });
  peering_config settings;
  peering_actor peering;
  far_node second{sys, 2, make_info(2, "b")};

  fixture() {
    names->put("membership", caf::actor_cast<caf::strong_actor_ptr>(listener));
    settings.self = make_info(1, "a");
    settings.cluster_name = "troupe";
    peering =
      spawn_peering(sys, settings, caf::actor_cast<dialer_actor>(dialer), view,
                    names, [] { return std::string{}; });
    consume_messages();
  }

  ~fixture() override {
    second.stop();
    for (auto& x : {caf::actor_cast<caf::actor>(peering), dialer, listener})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    consume_messages();
  }

  caf::behavior dial() {
    return {
      [this](caf::connect_atom, const std::string& host, std::uint16_t port)
        -> caf::result<caf::node_id, caf::strong_actor_ptr,
                       std::set<std::string>> {
        endpoint where{host, port};
        dials.push_back({where, sched.clock().now()});
        auto i = network.find(where);
        if (i == network.end())
          return refused_connection("nobody listens at " + to_string(where));
        return {i->second->node, i->second->peering, std::set<std::string>{}};
      }};
  }

  void join(far_node& x) { network[x.script.own.info.cluster] = &x; }

  void name_addresses(std::vector<endpoint> addresses) {
    caf::anon_send(peering, peer_candidates{"static", std::move(addresses)});
    consume_messages();
  }

  void pass(caf::timespan time, caf::timespan step = 100ms) {
    for (; time > 0ms; time -= step) {
      advance_time(step);
      consume_messages();
    }
  }

  /// A session with `second`, which was dialled.
  void meet_second() {
    join(second);
    name_addresses({second.script.own.info.cluster});
    pass(400ms);
    CAF_REQUIRE_EQUAL(heard.up.size(), 1u);
  }

  /// Another node that took the address of `second`.
  node_info at_address_of_second(std::uint64_t id, std::string name) const {
    auto result = make_info(id, std::move(name));
    result.cluster = second.script.own.info.cluster;
    return result;
  }

  caf::expected<hello> greet(const hello& greeting) {
    caf::expected<hello> result = caf::error{};
    auto asked = self->request(peering, caf::infinite, greeting);
    consume_messages();
    asked.receive([&](const hello& x) { result = x; },
                  [&](const caf::error& e) { result = e; });
    return result;
  }

  std::string refusal(const hello& greeting) {
    auto answer = greet(greeting);
    return answer ? "" : describe(answer.error()).detail;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(peering_tests, fixture)

CAF_TEST(a named address becomes a session) {
  meet_second();
  CAF_CHECK_EQUAL(second.script.greeted, 1);
  CAF_CHECK_EQUAL(heard.up[0].info.name, "b");
  CAF_CHECK(names->peer<caf::actor>(member_id{2}, "balancer")
            == caf::actor_cast<caf::actor>(second.peering));
  pass(10s);
  CAF_CHECK_EQUAL(dials.size(), 1u);
}

CAF_TEST(who greets first has a session too) {
  CAF_CHECK_EQUAL(refusal(second.script.own), "");
  CAF_REQUIRE_EQUAL(heard.up.size(), 1u);
  pass(10s);
  CAF_CHECK(dials.empty());
}

CAF_TEST(an address that answers nothing is dialled after growing waits) {
  name_addresses({{"127.0.0.9", 7946}});
  pass(60s, 10ms);
  CAF_REQUIRE(dials.size() > 8u);
  // Of 100 ms, 200, 400 ... 2 s: half at least, all and a tick at most.
  auto most = 100ms;
  for (std::size_t i = 1; i < dials.size(); ++i) {
    auto wait = dials[i].at - dials[i - 1].at;
    CAF_CHECK(wait >= most / 2);
    CAF_CHECK(wait <= most + 110ms);
    most = std::min(2 * most, 2000ms);
  }
}

CAF_TEST(an address that nobody names any more is forgotten) {
  name_addresses({{"127.0.0.9", 7946}});
  pass(299s);
  auto before = dials.size();
  CAF_CHECK(before > 100u);
  pass(4s);
  before = dials.size();
  pass(60s);
  CAF_CHECK_EQUAL(dials.size(), before);
  // It is as good as new.
  name_addresses({{"127.0.0.9", 7946}});
  pass(1s);
  CAF_CHECK(dials.size() > before);
}

CAF_TEST(a member is dialled as long as it is one) {
  cluster_state state;
  auto& member = state.members[member_id{9}];
  member.info = make_info(9, "i");
  member.state = verdict::down;
  view->set(state);
  pass(400s);
  auto before = dials.size();
  pass(10s);
  CAF_CHECK(dials.size() > before);
  state.members[member_id{9}].state = verdict::left;
  view->set(state);
  pass(2s);
  before = dials.size();
  pass(60s);
  CAF_CHECK_EQUAL(dials.size(), before);
}

CAF_TEST(a session that ends is told and dialled again at once) {
  meet_second();
  network.clear();
  second.stop();
  consume_messages();
  CAF_CHECK_EQUAL(dials.size(), 2u);
  CAF_REQUIRE_EQUAL(heard.down.size(), 2u);
  CAF_CHECK(heard.down[0].id == member_id{2});
  CAF_CHECK(!heard.down[0].refused);
  CAF_CHECK(heard.down[1].refused);
  CAF_CHECK(!names->peer<caf::actor>(member_id{2}, "balancer"));
}

CAF_TEST(a node is dialled once whatever its address is called) {
  const endpoint other_name{"b.example", 7946};
  network[other_name] = &second;
  name_addresses({other_name});
  pass(10s);
  CAF_CHECK_EQUAL(dials.size(), 1u);
  CAF_CHECK_EQUAL(heard.up.size(), 1u);
  // Once it is lost, it is looked for under both names. Only its own address
  // tells that it is gone: the other one may be that of many nodes.
  network.clear();
  second.stop();
  consume_messages();
  CAF_CHECK_EQUAL(dials.size(), 3u);
  CAF_CHECK_EQUAL(std::count_if(heard.down.begin(), heard.down.end(),
                                [](auto& x) { return x.refused; }),
                  1);
}

CAF_TEST(whoever answers at the address of another shows that it is gone) {
  meet_second();
  far_node third{sys, 3, at_address_of_second(3, "c")};
  network.clear();
  second.stop();
  consume_messages();
  auto before = heard.down.size();
  join(third);
  CAF_CHECK_EQUAL(refusal(third.script.own), "");
  CAF_REQUIRE_EQUAL(heard.down.size(), before + 1);
  CAF_CHECK(heard.down.back().id == member_id{2});
  CAF_CHECK(heard.down.back().refused);
  CAF_CHECK_EQUAL(heard.down.back().reason, "c answers at its address");
}

CAF_TEST(a node with a session is not given up for its address) {
  meet_second();
  far_node third{sys, 3, at_address_of_second(3, "c")};
  join(third);
  CAF_CHECK_EQUAL(refusal(third.script.own), "");
  CAF_CHECK(heard.down.empty());
  // The old connection ends later. Now it is known to be gone.
  second.stop();
  pass(10s);
  CAF_REQUIRE_EQUAL(heard.down.size(), 2u);
  CAF_CHECK(!heard.down[0].refused);
  CAF_CHECK(heard.down[1].id == member_id{2});
  CAF_CHECK(heard.down[1].refused);
  CAF_CHECK_EQUAL(heard.down[1].reason, "c answers at its address");
  CAF_CHECK_EQUAL(dials.size(), 1u);
  CAF_CHECK_EQUAL(heard.up.size(), 2u);
}

CAF_TEST(an address that refuses says nothing of a node that moved) {
  meet_second();
  auto moved = make_info(2, "b");
  moved.incarnation = 2;
  moved.cluster.host = "127.0.0.8";
  far_node later{sys, 4, moved};
  network.clear();
  join(later);
  CAF_CHECK_EQUAL(refusal(later.script.own), "");
  name_addresses({moved.cluster});
  pass(10s);
  // Its old address is dialled again: someone else may be there.
  CAF_CHECK(dials.size() > 1u);
  CAF_CHECK(heard.down.empty());
  later.stop();
  pass(2s);
  CAF_REQUIRE_EQUAL(heard.down.size(), 1u);
  CAF_CHECK(!heard.down[0].refused);
  // What refuses now is its own.
  network.clear();
  pass(4s);
  CAF_REQUIRE(heard.down.size() > 1u);
  CAF_CHECK(heard.down.back().refused);
}

CAF_TEST(an address whose node went elsewhere is dialled again) {
  const endpoint other_name{"b.example", 7946};
  network[other_name] = &second;
  name_addresses({other_name});
  pass(1s);
  CAF_REQUIRE_EQUAL(dials.size(), 1u);
  network.clear();
  second.stop();
  consume_messages();
  // Back, but under that name there is another node now.
  far_node back{sys, 4, make_info(2, "b")};
  back.script.own.info.incarnation = 2;
  CAF_CHECK_EQUAL(refusal(back.script.own), "");
  far_node third{sys, 3, make_info(3, "c")};
  network[other_name] = &third;
  pass(4s);
  CAF_CHECK(names->peer<caf::actor>(member_id{2}, "balancer"));
  CAF_CHECK(names->peer<caf::actor>(member_id{3}, "balancer"));
}

CAF_TEST(two processes of one id are refused by name and address) {
  meet_second();
  auto info = second.script.own.info;
  info.cluster.host = "127.0.0.8";
  info.name = "b";
  far_node copy{sys, 4, info};
  auto text = "two processes run under the id " + to_string(info.id)
              + ": b at 127.0.0.2:7946 and b at 127.0.0.8:7946; was a data "
                "directory copied?";
  CAF_CHECK_EQUAL(refusal(copy.script.own), text);
  // One that started earlier is refused as well, a later start replaces it.
  copy.script.own.info.incarnation = 0;
  CAF_CHECK_EQUAL(refusal(copy.script.own), text);
  CAF_CHECK_EQUAL(heard.up.size(), 1u);
  copy.script.own.info.incarnation = 2;
  CAF_CHECK_EQUAL(refusal(copy.script.own), "");
  CAF_CHECK_EQUAL(heard.up.size(), 2u);
}

CAF_TEST(a peer that does not fit gets the reason and no session) {
  second.script.own.cluster_name = "circus";
  CAF_CHECK_EQUAL(refusal(second.script.own),
                  "cluster.name differs: a has 'troupe', b has 'circus'");
  join(second);
  name_addresses({second.script.own.info.cluster});
  pass(1s);
  CAF_CHECK(second.script.greeted > 0);
  CAF_CHECK(heard.up.empty());
  second.script.own.cluster_name = "troupe";
  second.script.own.actors.erase("peering");
  CAF_CHECK_EQUAL(refusal(second.script.own),
                  "the peer names no peering actor");
}

CAF_TEST(a peer with values that nobody can have is refused with words) {
  auto io_threads = [&](std::uint32_t count) {
    auto greeting = second.script.own;
    greeting.info.io_threads = count;
    return refusal(greeting);
  };
  CAF_CHECK_EQUAL(io_threads(UINT32_MAX),
                  "io_threads must be from 1 to 256, is 4294967295");
  CAF_CHECK_EQUAL(io_threads(257), "io_threads must be from 1 to 256, is 257");
  CAF_CHECK_EQUAL(io_threads(0), "io_threads must be from 1 to 256, is 0");
  CAF_CHECK(heard.up.empty());
  CAF_CHECK_EQUAL(io_threads(256), "");
}

CAF_TEST(a peer names actors of its own process only) {
  auto greeting = second.script.own;
  // One of ours.
  greeting.actors["catalog"] = caf::actor_cast<caf::strong_actor_ptr>(listener);
  CAF_CHECK_EQUAL(refusal(greeting),
                  "actors must be named, and of the process that names them");
  meet_second();
  caf::anon_send(peering, peer_up{greeting.info, greeting.actors});
  consume_messages();
  CAF_CHECK_EQUAL(heard.up.size(), 1u);
  CAF_CHECK(!names->peer<caf::actor>(member_id{2}, "catalog"));
}

CAF_TEST(a peer that does not answer is dialled again) {
  second.script.silent = true;
  join(second);
  name_addresses({second.script.own.info.cluster});
  pass(1s);
  CAF_CHECK_EQUAL(dials.size(), 1u);
  pass(1s);
  CAF_CHECK_EQUAL(dials.size(), 2u);
  CAF_CHECK(heard.up.empty());
  second.script.silent = false;
  pass(2s);
  CAF_CHECK_EQUAL(heard.up.size(), 1u);
}

CAF_TEST(a restarted listener hears of all sessions) {
  meet_second();
  CAF_CHECK_EQUAL(heard.resets, 1);
  listener_log later;
  auto other = sys.spawn(listen, &later);
  names->put("membership", caf::actor_cast<caf::strong_actor_ptr>(other));
  pass(400ms);
  CAF_CHECK_EQUAL(later.resets, 1);
  CAF_REQUIRE_EQUAL(later.up.size(), 1u);
  CAF_CHECK_EQUAL(later.up[0].info.name, "b");
  caf::anon_send_exit(other, caf::exit_reason::kill);
  consume_messages();
}

CAF_TEST(peers hear of a restarted actor) {
  meet_second();
  names->put("balancer", caf::actor_cast<caf::strong_actor_ptr>(listener));
  names->put("raft_log", caf::actor_cast<caf::strong_actor_ptr>(listener));
  pass(400ms);
  CAF_REQUIRE_EQUAL(second.script.news.size(), 1u);
  auto& actors = second.script.news[0].actors;
  CAF_CHECK(actors.contains("balancer"));
  CAF_CHECK(!actors.contains("raft_log"));
  pass(2s);
  CAF_CHECK_EQUAL(second.script.news.size(), 1u);
}

CAF_TEST(late news of a process that was replaced changes nothing) {
  meet_second();
  auto again = make_info(2, "b");
  again.incarnation = 2;
  far_node reborn{sys, 4, again};
  CAF_CHECK_EQUAL(refusal(reborn.script.own), "");
  CAF_REQUIRE_EQUAL(heard.up.size(), 2u);
  caf::anon_send(peering,
                 peer_up{second.script.own.info, second.script.own.actors});
  consume_messages();
  second.stop();
  pass(60s);
  CAF_CHECK_EQUAL(heard.up.size(), 2u);
  CAF_CHECK(heard.down.empty());
  CAF_CHECK(names->peer<caf::actor>(member_id{2}, "balancer")
            == caf::actor_cast<caf::actor>(reborn.peering));
  // Nor does it where both count the same start, as with a restored disk.
  auto info = reborn.script.own.info;
  caf::anon_send(peering, peer_up{info, second.script.own.actors});
  consume_messages();
  CAF_CHECK_EQUAL(heard.up.size(), 2u);
}

CAF_TEST(news of a restarted actor of a peer is passed on) {
  meet_second();
  auto actors = second.script.own.actors;
  actors["cache_shard/0"] = second.peering;
  caf::anon_send(peering, peer_up{second.script.own.info, actors});
  consume_messages();
  CAF_REQUIRE_EQUAL(heard.up.size(), 2u);
  CAF_CHECK(names->peer<caf::actor>(member_id{2}, "cache_shard/0"));
}

CAF_TEST(a restarted peering actor knows no session) {
  meet_second();
  CAF_CHECK(names->peer<caf::actor>(member_id{2}, "balancer"));
  caf::anon_send_exit(peering, caf::exit_reason::kill);
  consume_messages();
  // Nobody tells the next one that this one ended meanwhile.
  network.clear();
  second.stop();
  consume_messages();
  peering = spawn_peering(sys, settings, caf::actor_cast<dialer_actor>(dialer),
                          view, names, [] { return std::string{}; });
  pass(10s);
  CAF_CHECK(!names->peer<caf::actor>(member_id{2}, "balancer"));
}

CAF_TEST_FIXTURE_SCOPE_END()

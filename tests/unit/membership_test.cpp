#define CAF_SUITE membership

#include "discovery/membership/membership.hpp"

#include <filesystem>

#include <stdlib.h>

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

constexpr member_id own{5};

node_info make_info(member_id id, std::string name) {
  node_info result;
  result.id = id;
  result.name = std::move(name);
  result.incarnation = 1;
  result.cluster = {"127.0.0.1", 7946};
  return result;
}

struct fixture : test_coordinator_fixture<config> {
  directory_ptr names = std::make_shared<directory>();
  cluster_view view = std::make_shared<published<cluster_state>>();
  std::filesystem::path folder;
  std::shared_ptr<identity> self_identity;
  membership_actor membership;

  // What reached the fake catalog and the fake peers.
  std::vector<command_body> proposed;
  std::vector<set_raft_role> roles;
  int founded = 0;
  int transfers = 0;
  int joins_at_peers = 0;
  bool passed_on = false;
  int goodbyes = 0;
  bool goodbyes_unheard = false;
  std::uint64_t last_fence = 0;
  int renewals = 0;
  reach peers_find = reach::silent;
  bool dismissed = false;
  std::string dismissal;
  std::string refusal_to_join;
  std::int64_t granted_ms = 1500;
  member_id peers_pledge_to = own;
  lease_ptr leadership = std::make_shared<lease>();
  lease_ptr roles_lease = std::make_shared<lease>();
  std::shared_ptr<published<std::string>> obstacle =
    std::make_shared<published<std::string>>();

  fixture() {
    std::string name = std::filesystem::temp_directory_path() / "membeXXXXXX";
    folder = ::mkdtemp(name.data());
    self_identity = *identity::open(folder, "troupe");
    names->put("catalog", handle_of(sys.spawn([this] { return catalog(); })));
  }

  ~fixture() override {
    caf::anon_send_exit(membership, caf::exit_reason::kill);
    consume_messages();
    std::filesystem::remove_all(folder);
  }

  static caf::strong_actor_ptr handle_of(const caf::actor& x) {
    return caf::actor_cast<caf::strong_actor_ptr>(x);
  }

  caf::behavior catalog() {
    return {
      [this](const propose& x) {
        proposed.push_back(x.body);
        last_fence = x.fence;
        return apply_result{};
      },
      [this](const bootstrap_cluster&) {
        ++founded;
        return done{};
      },
      [this](const set_raft_role& x) {
        roles.push_back(x);
        return done{};
      },
      [this](const transfer_leadership&) {
        ++transfers;
        return done{};
      },
    };
  }

  caf::behavior peer_membership(member_id id) {
    return {
      [this, id](const pledge_request& x) {
        return pledge{id, peers_pledge_to, x.binding};
      },
      [this](const join_request& x) -> caf::result<done> {
        ++joins_at_peers;
        passed_on = x.passed_on;
        if (!refusal_to_join.empty())
          return make_error(errc::conflict, refusal_to_join);
        return make_error(errc::no_quorum, "no leader");
      },
      [this](const leave_request&) -> caf::result<done> {
        ++goodbyes;
        CAF_CHECK(!roles_lease->held(sys.clock().now()));
        if (goodbyes_unheard)
          return make_error(errc::no_quorum, "no leader");
        return done{};
      },
      [this](const renew_lease&) {
        ++renewals;
        return lease_grant{1, granted_ms, dismissal};
      },
      [this, id](const probe_request& x) {
        return probe_report{id, x.about, x.incarnation, peers_find};
      },
      [](const ping&) { return pong{1}; },
      [](const probe_report&) {},
    };
  }

  void start(std::uint32_t expected_nodes) {
    membership_config settings;
    settings.self = make_info(own, "own");
    settings.cluster_name = "troupe";
    settings.expected_nodes = expected_nodes;
    settings.on_dismissed = [this] { dismissed = true; };
    membership = spawn_membership(
      sys, settings,
      {view, names, self_identity, leadership, roles_lease, obstacle});
    consume_messages();
  }

  void connect(member_id id) {
    actor_names actors{{"membership", handle_of(sys.spawn([this, id] {
                          return peer_membership(id);
                        }))}};
    names->put_peer(id, actors);
    caf::anon_send(membership, peer_up{make_info(id, "peer"), actors});
    consume_messages();
  }

  /// A cluster in which this node and member 9 vote.
  cluster_state two_members(member_id leader) {
    cluster_state state;
    state.cluster_name = "troupe";
    state.cluster_uuid = "u1";
    state.leader = leader;
    state.term = 4;
    state.caught_up = true;
    for (auto id : {own, member_id{9}}) {
      auto& who = state.members[id];
      who.info = make_info(id, id == own ? "own" : "peer");
      who.role = raft_role::voter;
    }
    return state;
  }

  void pass(caf::timespan time) {
    for (caf::timespan step = 50ms; time > 0ms; time -= step) {
      advance_time(step);
      consume_messages();
    }
  }

  bool says(const std::string& part) const {
    auto text = obstacle->get();
    if (text->find(part) != text->npos)
      return true;
    CAF_MESSAGE("it says: " << *text);
    return false;
  }

  pledge pledge_of_this(member_id founder, bool binding) {
    auto request =
      self->request(membership, caf::infinite,
                    pledge_request{make_info(founder, "f"), "troupe", binding});
    consume_messages();
    pledge result;
    request.receive(
      [&](const pledge& x) { result = x; },
      [](const caf::error& problem) { CAF_FAIL(caf::to_string(problem)); });
    return result;
  }

  /// Its code, if it comes without any time passing.
  errc refusal_to_leave(const leave_request& asked) {
    auto request = self->request(membership, caf::infinite, asked);
    consume_messages();
    CAF_REQUIRE(!self->mailbox().empty());
    errc code{};
    request.receive([](const done&) {},
                    [&](const caf::error& x) { code = describe(x).code; });
    return code;
  }

  template <class Command>
  const Command* last_proposed() const {
    return proposed.empty() ? nullptr : std::get_if<Command>(&proposed.back());
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(membership_tests, fixture)

CAF_TEST(a node that expects only itself founds a cluster) {
  start(1);
  pass(100ms);
  CAF_CHECK_EQUAL(founded, 1);
}

CAF_TEST(a node that expects nobody waits to be taken in) {
  start(0);
  connect(member_id{9});
  pass(2s);
  CAF_CHECK_EQUAL(founded, 0);
  CAF_CHECK(joins_at_peers > 1);
}

CAF_TEST(the smallest id founds once all expected nodes pledged) {
  start(3);
  pass(2s);
  CAF_CHECK_EQUAL(founded, 0);
  connect(member_id{8});
  pass(2s);
  CAF_CHECK_EQUAL(founded, 0);
  connect(member_id{9});
  pass(1s);
  CAF_CHECK_EQUAL(founded, 1);
}

CAF_TEST(pledges to somebody else do not count) {
  peers_pledge_to = member_id{7};
  start(3);
  connect(member_id{8});
  connect(member_id{9});
  pass(2s);
  CAF_CHECK_EQUAL(founded, 0);
}

CAF_TEST(a larger id leaves founding to the smaller one that asks) {
  start(2);
  for (int i = 0; i < 10; ++i) {
    CAF_CHECK(pledge_of_this(member_id{1}, false).to == member_id{1});
    connect(member_id{1});
    pass(500ms);
  }
  CAF_CHECK_EQUAL(founded, 0);
  // It is gone before anyone has pledged: nobody waits for it.
  pass(2s);
  CAF_CHECK_EQUAL(founded, 1);
}

CAF_TEST(a node belongs to a cluster once it knows its latest state) {
  start(3);
  // While it catches up it sees the uuid from before a recovery.
  auto state = two_members(member_id{9});
  state.cluster_uuid = "u0";
  state.caught_up = false;
  view->set(state);
  pass(200ms);
  CAF_CHECK(self_identity->get().cluster_uuid.empty());
  // It has joined nevertheless, and founds nothing with others.
  auto request =
    self->request(membership, caf::infinite,
                  pledge_request{make_info(member_id{3}, "f"), "troupe"});
  consume_messages();
  auto follows = own;
  request.receive(
    [&](const pledge& x) { follows = x.to; },
    [](const caf::error& problem) { CAF_FAIL(caf::to_string(problem)); });
  CAF_CHECK(follows == member_id::none);
  state.cluster_uuid = "u1";
  state.caught_up = true;
  view->set(state);
  pass(200ms);
  CAF_CHECK_EQUAL(self_identity->get().cluster_uuid, "u1");
}

CAF_TEST(a pledge is given to the first founder only) {
  start(3);
  auto answer = [&](member_id founder) {
    return pledge_of_this(founder, true).to;
  };
  CAF_CHECK(answer(member_id{2}) == member_id{2});
  CAF_CHECK(answer(member_id{3}) == member_id{2});
  CAF_CHECK(self_identity->get().pledge.pledged_to == member_id{2});
  view->set(two_members(member_id{9}));
  pass(50ms);
  // It belongs to a cluster now and follows no founder any more.
  CAF_CHECK(answer(member_id{2}) == member_id::none);
}

CAF_TEST(a founder that has pledges follows a smaller id until it founds) {
  start(4);
  connect(member_id{8});
  connect(member_id{9});
  CAF_CHECK(pledge_of_this(member_id{3}, true).to == member_id{3});
  connect(member_id{7});
  pass(10s);
  CAF_CHECK_EQUAL(founded, 0);
}

CAF_TEST(a node that founds goes on with it after a restart) {
  CAF_CHECK(!self_identity->keep_pledge({own, true}));
  start(3);
  pass(100ms);
  CAF_CHECK_EQUAL(founded, 1);
  CAF_CHECK(pledge_of_this(member_id{3}, true).to == own);
}

CAF_TEST(a leader gives a lost member its verdicts) {
  start(3);
  view->set(two_members(own));
  connect(member_id{9});
  pass(100ms);
  CAF_CHECK(proposed.empty());
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", false});
  consume_messages();
  pass(50ms);
  auto* given = last_proposed<set_verdict>();
  CAF_REQUIRE(given);
  CAF_CHECK(given->node == member_id{9});
  CAF_CHECK(given->state == verdict::suspect);
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", true});
  consume_messages();
  pass(50ms);
  given = last_proposed<set_verdict>();
  CAF_REQUIRE(given);
  CAF_CHECK(given->state == verdict::down);
}

CAF_TEST(a second member confirms before the leader gives one up) {
  start(3);
  auto state = two_members(own);
  state.members[member_id{8}] = state.members[member_id{9}];
  state.members[member_id{8}].info = make_info(member_id{8}, "third");
  view->set(state);
  connect(member_id{8});
  connect(member_id{9});
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", false});
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", true});
  consume_messages();
  auto* given = last_proposed<set_verdict>();
  CAF_REQUIRE(given);
  CAF_CHECK(given->state == verdict::suspect);
  peers_find = reach::refused;
  pass(300ms);
  given = last_proposed<set_verdict>();
  CAF_REQUIRE(given);
  CAF_CHECK(given->state == verdict::down);
  CAF_CHECK_EQUAL(last_fence, state.term);
}

CAF_TEST(a leader grants leases only while it holds its own) {
  start(3);
  auto state = two_members(own);
  view->set(state);
  connect(member_id{9});
  auto ask = [&](member_id id, std::uint64_t incarnation) {
    auto request =
      self->request(membership, caf::infinite, renew_lease{id, incarnation});
    consume_messages();
    errc code{};
    request.receive([](const lease_grant&) {},
                    [&](const caf::error& x) { code = describe(x).code; });
    return code;
  };
  CAF_CHECK(ask(member_id{9}, 1) == errc::not_leader);
  leadership->extend({}, lease::clock::time_point::max(), {});
  CAF_CHECK(ask(member_id{9}, 1) == errc{});
  CAF_CHECK(ask(member_id{9}, 2) == errc::conflict);
  CAF_CHECK(ask(member_id{7}, 1) == errc::conflict);
  state.members[member_id{9}].state = verdict::down;
  view->set(state);
  CAF_CHECK(ask(member_id{9}, 1) == errc::conflict);
}

CAF_TEST(nobody gets a lease while it may be given up) {
  start(3);
  names->put("catalog", handle_of(sys.spawn([this]() -> caf::behavior {
               return {[this](const propose& x) {
                 proposed.push_back(x.body);
                 return self->make_response_promise<apply_result>();
               }};
             })));
  leadership->extend({}, lease::clock::time_point::max(), {});
  view->set(two_members(own));
  connect(member_id{9});
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", false});
  consume_messages();
  CAF_REQUIRE(last_proposed<set_verdict>());
  auto request =
    self->request(membership, caf::infinite, renew_lease{member_id{9}, 1});
  consume_messages();
  request.receive(
    [](const lease_grant&) { CAF_FAIL("granted"); },
    [](const caf::error& x) { CAF_CHECK(describe(x).code == errc::conflict); });
}

CAF_TEST(a node that was given up holds no role) {
  start(3);
  auto state = two_members(member_id{9});
  view->set(state);
  connect(member_id{9});
  pass(1s);
  CAF_REQUIRE(roles_lease->held(sys.clock().now()));
  state.members[own].state = verdict::down;
  view->set(state);
  consume_messages();
  CAF_CHECK(!roles_lease->held(sys.clock().now()));
}

CAF_TEST(a member holds its roles while the leader answers) {
  start(3);
  view->set(two_members(member_id{9}));
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(renewals > 1);
  auto now = [this] { return sys.clock().now(); };
  CAF_CHECK(roles_lease->held(now()));
  names->erase_peer(member_id{9});
  pass(2s);
  CAF_CHECK(!roles_lease->held(now()));
}

CAF_TEST(a node has its lease as soon as it is a member) {
  start(3);
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(!roles_lease->held(sys.clock().now()));
  view->set(two_members(member_id{9}));
  consume_messages();
  CAF_CHECK(roles_lease->held(sys.clock().now()));
}

CAF_TEST(a leader has its lease soon after it may lead) {
  start(3);
  view->set(two_members(own));
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(!roles_lease->held(sys.clock().now()));
  leadership->extend({}, lease::clock::time_point::max(), {});
  pass(200ms);
  CAF_CHECK(roles_lease->held(sys.clock().now()));
}

CAF_TEST(a node that was dismissed is told to end) {
  start(3);
  auto state = two_members(member_id{9});
  view->set(state);
  pass(100ms);
  CAF_CHECK(!dismissed);
  state.members[own].state = verdict::left;
  state.members[own].dismissed = true;
  view->set(state);
  pass(100ms);
  CAF_CHECK(dismissed);
}

CAF_TEST(a node that hears of its dismissal from others ends too) {
  start(3);
  view->set(two_members(member_id::none));
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(!dismissed);
  dismissal = "removed by an operator";
  pass(1s);
  CAF_CHECK(dismissed);
  CAF_CHECK(!roles_lease->held(sys.clock().now()));
}

CAF_TEST(sessions that a peering forgot are over) {
  start(3);
  view->set(two_members(own));
  connect(member_id{9});
  pass(100ms);
  CAF_CHECK(proposed.empty());
  caf::anon_send(membership, sessions_reset{});
  pass(300ms);
  auto* given = last_proposed<set_verdict>();
  CAF_REQUIRE(given);
  CAF_CHECK(given->state == verdict::suspect);
}

CAF_TEST(a follower gives no verdicts) {
  start(3);
  view->set(two_members(member_id{9}));
  connect(member_id{9});
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", true});
  consume_messages();
  pass(5s);
  CAF_CHECK(proposed.empty());
}

CAF_TEST(a leader takes a newcomer in and gives it a role) {
  start(3);
  auto state = two_members(own);
  view->set(state);
  pass(100ms);
  caf::anon_send(membership, join_request{make_info(member_id{6}, "new")});
  consume_messages();
  CAF_REQUIRE(last_proposed<register_node>());
  state.members[member_id{6}].info = make_info(member_id{6}, "new");
  view->set(state);
  pass(50ms);
  CAF_REQUIRE_EQUAL(roles.size(), 1u);
  CAF_CHECK(roles[0].node == member_id{6});
  CAF_CHECK(roles[0].role == raft_role::standby);
}

CAF_TEST(a node with values that nobody can have is not taken in) {
  start(3);
  view->set(two_members(own));
  pass(100ms);
  auto asked = make_info(member_id{6}, "new");
  asked.io_threads = UINT32_MAX;
  auto request = self->request(membership, caf::infinite, join_request{asked});
  consume_messages();
  request.receive([](const done&) { CAF_ERROR("taken in"); },
                  [](const caf::error& x) {
                    CAF_CHECK_EQUAL(describe(x).code, errc::incompatible);
                  });
  CAF_CHECK(proposed.empty());
}

CAF_TEST(no leader grants more than all have agreed on) {
  granted_ms = std::numeric_limits<std::int64_t>::max();
  start(3);
  view->set(two_members(member_id{9}));
  connect(member_id{9});
  pass(1s);
  auto now = [this] { return sys.clock().now(); };
  CAF_CHECK(roles_lease->held(now()));
  names->erase_peer(member_id{9});
  pass(2s);
  CAF_CHECK(!roles_lease->held(now()));
  granted_ms = std::numeric_limits<std::int64_t>::min();
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(!roles_lease->held(now()));
}

CAF_TEST(a request to join is passed on once) {
  start(3);
  view->set(two_members(member_id{9}));
  connect(member_id{9});
  join_request asked{make_info(member_id{6}, "new")};
  caf::anon_send(membership, asked);
  consume_messages();
  CAF_CHECK_EQUAL(joins_at_peers, 1);
  CAF_CHECK(passed_on);
  // Member 9 takes this node for the leader, and this node member 9.
  asked.passed_on = true;
  caf::anon_send(membership, asked);
  consume_messages();
  CAF_CHECK_EQUAL(joins_at_peers, 1);
}

CAF_TEST(a request to join is a sign of life) {
  start(3);
  auto state = two_members(own);
  state.members.erase(member_id{9});
  view->set(state);
  // Connected since long, when it is taken in at last.
  connect(member_id{9});
  pass(10s);
  proposed.clear();
  caf::anon_send(membership, join_request{make_info(member_id{9}, "peer")});
  consume_messages();
  view->set(two_members(own));
  pass(500ms);
  CAF_CHECK(last_proposed<set_verdict>() == nullptr);
  pass(5s);
  CAF_CHECK(last_proposed<set_verdict>() != nullptr);
}

CAF_TEST(what a process says that was started again since does not count) {
  start(3);
  auto state = two_members(own);
  state.members[member_id{9}].info.incarnation = 2;
  view->set(state);
  auto again = make_info(member_id{9}, "peer");
  again.incarnation = 2;
  caf::anon_send(membership, peer_up{again, {}});
  pass(500ms);
  // The end of its session is not that of the present one.
  caf::anon_send(membership, peer_down{member_id{9}, 1, "gone", false});
  pass(200ms);
  CAF_CHECK(last_proposed<set_verdict>() == nullptr);
  // Nor is its request a sign of life.
  caf::anon_send(membership, peer_down{member_id{9}, 2, "gone", false});
  pass(1s);
  proposed.clear();
  caf::anon_send(membership, join_request{make_info(member_id{9}, "peer")});
  consume_messages();
  proposed.clear();
  pass(200ms);
  CAF_CHECK(last_proposed<set_verdict>() != nullptr);
  // And it can't leave in the name of its successor.
  CAF_CHECK(refusal_to_leave({member_id{9}, 1}) == errc::conflict);
}

CAF_TEST(a goodbye at a node that does not lead is answered at once) {
  start(3);
  view->set(two_members(member_id{9}));
  CAF_CHECK(refusal_to_leave({member_id{9}, 1}) == errc::no_quorum);
}

CAF_TEST(a leaving leader hands over first and then says goodbye) {
  start(3);
  auto state = two_members(own);
  view->set(state);
  connect(member_id{9});
  auto request =
    self->request(membership, caf::infinite, leave_request{own, 1});
  pass(300ms);
  CAF_CHECK(transfers > 0);
  CAF_CHECK_EQUAL(goodbyes, 0);
  state.leader = member_id{9};
  view->set(state);
  pass(300ms);
  CAF_CHECK_EQUAL(goodbyes, 1);
  bool left = false;
  request.receive(
    [&](const done&) { left = true; },
    [](const caf::error& problem) { CAF_FAIL(caf::to_string(problem)); });
  CAF_CHECK(left);
}

CAF_TEST(a node has no roles any more when it says goodbye) {
  start(3);
  view->set(two_members(member_id{9}));
  connect(member_id{9});
  pass(1s);
  CAF_REQUIRE(roles_lease->held(sys.clock().now()));
  goodbyes_unheard = true;
  auto request =
    self->request(membership, caf::infinite, leave_request{own, 1});
  pass(2s);
  CAF_CHECK(goodbyes > 1);
  CAF_CHECK(!roles_lease->held(sys.clock().now()));
  goodbyes_unheard = false;
  pass(2s);
  CAF_CHECK(!roles_lease->held(sys.clock().now()));
  request.receive(
    [](const done&) {},
    [](const caf::error& problem) { CAF_FAIL(caf::to_string(problem)); });
}

CAF_TEST(the last voter is told that it can not leave) {
  start(1);
  auto state = two_members(own);
  state.members[member_id{9}].state = verdict::down;
  view->set(state);
  auto request =
    self->request(membership, caf::infinite, leave_request{own, 1});
  pass(300ms);
  errc code{};
  request.receive(
    [](const done&) { CAF_FAIL("it left"); },
    [&](const caf::error& problem) { code = describe(problem).code; });
  CAF_CHECK(code == errc::conflict);
}

CAF_TEST(a node says why it is no member that may act) {
  start(3);
  pass(1s);
  CAF_CHECK(says("waits for 2 more node(s)"));
  auto state = two_members(member_id::none);
  view->set(state);
  pass(1s);
  CAF_CHECK(says("no quorum: of 2 voters 1 are connected, 2 are needed; start "
                 "peer"));
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(says("an election"));
  state.leader = member_id{9};
  state.members[own].info.incarnation = 0;
  view->set(state);
  pass(1s);
  CAF_CHECK(says("waits for the leader"));
  view->set(two_members(member_id{9}));
  pass(1s);
  CAF_CHECK_EQUAL(*obstacle->get(), "");
  dismissal = "removed by an operator";
  pass(1s);
  CAF_CHECK(says("removed this node: removed by an operator"));
}

CAF_TEST(a node that the cluster refuses says so) {
  refusal_to_join = "the name own belongs to another member";
  start(3);
  view->set(two_members(member_id{9}));
  auto outside = two_members(member_id{9});
  outside.members.erase(own);
  view->set(outside);
  connect(member_id{9});
  pass(1s);
  CAF_CHECK(says("refuses this node: the name own belongs to another member"));
}

CAF_TEST_FIXTURE_SCOPE_END()

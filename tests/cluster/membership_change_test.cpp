#define CAF_SUITE membership_change

#include "tests/cluster/simulated_cluster.hpp"

#include "discovery/raft/raft_message.hpp"
#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct fixture : simulated_cluster {
  fixture() : simulated_cluster(5) {
    for (auto& x : nodes) {
      x.config.snapshot_threshold = 50;
      x.config.snapshot_trailing = 10;
    }
  }

  /// A cluster of the first `size` nodes.
  void form_of(std::size_t size) {
    start(0);
    auto founded = ask<done>(nodes[0].catalog, bootstrap_cluster{"test"});
    CAF_REQUIRE(await([&] { return founded->has_value(); }));
    for (std::size_t i = 1; i < size; ++i) {
      start(i);
      add_voter(i);
    }
  }

  errc change(std::size_t at, std::size_t whom, raft_role role) {
    auto result = set_role(at, whom, role);
    CAF_REQUIRE(await([&] { return result->has_value(); }));
    return **result ? errc{} : describe((**result).error()).code;
  }

  /// Whether it leads by what its catalog says itself.
  bool is_elected(std::size_t i) {
    auto asked = ask<actor_status>(nodes[i].catalog, get_status{});
    consume_messages();
    return (**asked)->details.at("state") == "leader";
  }

  raft_role role_of(std::size_t at, std::size_t whom) const {
    auto now = state(at);
    auto i = now->members.find(id_of(whom));
    return i == now->members.end() ? raft_role::none : i->second.role;
  }

  void commit_servers(std::size_t at, std::uint16_t first, int count) {
    for (int i = 0; i < count; ++i)
      commit_at(at, server_at(static_cast<std::uint16_t>(first + i)));
  }
};

/// Three nodes of which one needs a snapshot of 600 kB. It takes 1.2 s, four
/// election timeouts: parts of 10 kB, two in each 40 ms.
struct slow_link : fixture {
  std::size_t leading = 0;
  std::size_t lagging = 0;

  slow_link() {
    for (auto& x : nodes) {
      x.config.snapshot_bytes = 100'000;
      x.config.max_message_bytes = 40'000;
    }
  }

  void fall_behind() {
    form_of(3);
    leading = await_leader();
    lagging = (leading + 1) % 3;
    isolate(lagging);
    for (int i = 0; i < 20; ++i)
      commit_at(leading,
                put_key{"key-" + std::to_string(i), std::string(30'000, 'v')});
    net.delay_min = net.delay_max = 20ms;
  }
};

constexpr errc success{};

} // namespace

CAF_TEST_FIXTURE_SCOPE(membership_change_tests, fixture)

CAF_TEST(a cluster grows to five and shrinks to one) {
  form_of(5);
  CAF_REQUIRE(await_agreement());
  commit_servers(4, 9000, 3);
  for (std::size_t i = 1; i < 5; ++i) {
    CAF_CHECK(change(0, i, raft_role::none) == success);
    CAF_CHECK(role_of(0, i) == raft_role::none);
    crash(i);
  }
  commit_servers(0, 9003, 3);
  CAF_CHECK_EQUAL(ports(0).size(), 6u);
  restart(0);
  CAF_REQUIRE(await([&] { return leader() == 0u; }));
  commit_servers(0, 9006, 1);
}

CAF_TEST(a new node gets a snapshot before it votes) {
  form_of(3);
  commit_servers(0, 9000, 120);
  CAF_REQUIRE(nodes[0].disk->contents.snapshot);
  start(3);
  add_voter(3);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK(nodes[3].disk->contents.snapshot);
  CAF_CHECK_EQUAL(ports(3).size(), 120u);
  CAF_CHECK(role_of(3, 3) == raft_role::voter);
  // And reads it again.
  restart(3);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(3).size(), 120u);
}

CAF_TEST(a few large entries are reason enough for a snapshot) {
  nodes[0].config.snapshot_threshold = 8192;
  nodes[0].config.snapshot_bytes = 100'000;
  form_of(1);
  std::string value(30'000, 'v');
  for (int i = 0; i < 3; ++i)
    commit_at(0, put_key{"key", value});
  CAF_CHECK(!nodes[0].disk->contents.snapshot);
  commit_at(0, put_key{"key", value});
  elapse(1ms);
  CAF_CHECK(nodes[0].disk->contents.snapshot);
}

CAF_TEST(a node that lags behind the log gets a snapshot) {
  form_of(3);
  auto leading = await_leader();
  auto lagging = (leading + 1) % 3;
  isolate(lagging);
  commit_servers(leading, 9000, 120);
  heal();
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(lagging).size(), 120u);
  CAF_CHECK_EQUAL(state(lagging)->events->size(),
                  state(leading)->events->size());
  // A command of its own still applies once.
  commit_servers(lagging, 9500, 1);
}

CAF_TEST(a command is answered though its effect came by snapshot) {
  form_of(3);
  auto leading = await_leader();
  auto lagging = (leading + 1) % 3;
  // Its command reaches the leader, nothing comes back for a while.
  net.filter = [=](std::size_t from, std::size_t to, const std::string&) {
    return from != leading || to != lagging;
  };
  auto result = propose_at(lagging, server_at(9999));
  commit_servers(leading, 9000, 120);
  CAF_CHECK(!result->has_value());
  net.filter = nullptr;
  CAF_REQUIRE(await([&] { return result->has_value(); }));
  CAF_REQUIRE(**result);
  CAF_CHECK_EQUAL((***result).code, 0);
  CAF_CHECK(ports(lagging).contains(9999));
}

CAF_TEST(only the leader changes roles and one at a time) {
  form_of(3);
  start(3);
  commit_at(0, register_node{nodes[3].config.self});
  CAF_CHECK(change(1, 3, raft_role::standby) == errc::not_leader);
  CAF_CHECK(change(0, 3, raft_role::voter) == errc::conflict);
  net.delay_min = net.delay_max = 5ms;
  auto first = set_role(0, 3, raft_role::standby);
  elapse(1ms);
  CAF_CHECK(change(0, 1, raft_role::standby) == errc::conflict);
  CAF_REQUIRE(await([&] { return first->has_value(); }));
  CAF_CHECK(**first);
  CAF_CHECK(change(0, 3, raft_role::standby) == success); // it is one already
}

CAF_TEST(a stand - by that is away can not be promoted) {
  form_of(3);
  start(3);
  commit_at(0, register_node{nodes[3].config.self});
  CAF_REQUIRE(change(0, 3, raft_role::standby) == success);
  isolate(3);
  commit_servers(0, 9000, 1);
  CAF_CHECK(change(0, 3, raft_role::voter) == errc::timed_out);
  CAF_CHECK(role_of(0, 3) == raft_role::standby);
  heal();
  CAF_CHECK(change(0, 3, raft_role::voter) == success);
}

CAF_TEST(a voter is demoted and follows as a stand - by) {
  form_of(3);
  CAF_CHECK(change(0, 2, raft_role::standby) == success);
  commit_servers(2, 9000, 1);
  CAF_CHECK(role_of(2, 2) == raft_role::standby);
  // It does not count for the quorum.
  crash(1);
  auto stuck = propose_at(0, server_at(9001));
  elapse(1000ms);
  CAF_CHECK(!stuck->has_value());
}

CAF_TEST(the leader hands over before it goes) {
  form_of(3);
  CAF_CHECK(change(0, 0, raft_role::none) == errc::conflict);
  auto handed = ask<done>(nodes[0].catalog, transfer_leadership{});
  CAF_REQUIRE(await([&] { return handed->has_value(); }));
  CAF_CHECK(**handed);
  auto next = await_leader();
  CAF_CHECK_NOT_EQUAL(next, 0u);
  CAF_CHECK(change(next, 0, raft_role::none) == success);
  crash(0);
  commit_servers(next, 9000, 1);
}

CAF_TEST(commands go on through a transfer) {
  form_of(3);
  net.delay_min = net.delay_max = 2ms;
  std::vector<outcome<apply_result>> results;
  for (std::uint16_t i = 0; i < 30; ++i)
    results.push_back(propose_at(i % 3, server_at(9000 + i)));
  auto handed = ask<done>(nodes[0].catalog, transfer_leadership{});
  CAF_REQUIRE(await([&] {
    return std::all_of(results.begin(), results.end(),
                       [](auto& x) { return x->has_value(); });
  }));
  for (auto& result : results)
    CAF_CHECK(**result && (***result).code == 0);
  CAF_CHECK(handed->has_value());
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(1).size(), 30u);
}

CAF_TEST(there is no transfer without another voter) {
  form_of(1);
  auto handed = ask<done>(nodes[0].catalog, transfer_leadership{});
  CAF_REQUIRE(await([&] { return handed->has_value(); }));
  CAF_CHECK(describe((**handed).error()).code == errc::not_found);
}

CAF_TEST(a stand - by that lags keeps its place while another is promoted) {
  form_of(3);
  for (std::size_t i : {3, 4}) {
    start(i);
    commit_at(0, register_node{nodes[i].config.self});
    CAF_REQUIRE(change(0, i, raft_role::standby) == success);
  }
  isolate(4);
  commit_servers(0, 9000, 5);
  // Node 3 stands before node 4 in the configuration, and must stay there.
  CAF_CHECK(change(0, 3, raft_role::voter) == success);
  heal();
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(4).size(), 5u);
  CAF_CHECK(change(0, 4, raft_role::voter) == success);
}

CAF_TEST(what only a stand - by has is not committed by its promotion) {
  // A leads; S is a stand-by between the voters A, B and C.
  form_of(1);
  for (std::size_t i : {1, 2, 3}) {
    start(i);
    commit_at(0, register_node{nodes[i].config.self});
    CAF_REQUIRE(change(0, i, raft_role::standby) == success);
  }
  for (std::size_t i : {2, 3})
    CAF_REQUIRE(change(0, i, raft_role::voter) == success);
  CAF_REQUIRE(await_agreement());
  isolate(2);
  isolate(3);
  auto written = propose_at(0, server_at(9000));
  elapse(20ms);
  set_role(0, 1, raft_role::voter);
  elapse(200ms);
  CAF_CHECK(!written->has_value());
}

CAF_TEST(an only voter that lost unsynced entries does not reuse their term) {
  form_of(1);
  start(1);
  commit_at(0, register_node{nodes[1].config.self});
  CAF_REQUIRE(change(0, 1, raft_role::standby) == success);
  auto term = state(0)->term;
  // The stand-by stores an entry that its leader loses.
  nodes[0].disk->latency = 50ms;
  propose_at(0, server_at(9000));
  elapse(20ms);
  restart(0);
  nodes[0].disk->latency = 0ms;
  CAF_REQUIRE(await([&] { return leader() == 0u; }));
  CAF_CHECK(state(0)->term > term);
  commit_servers(0, 9001, 1);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK(ports(0) == ports(1));
}

CAF_TEST(two leaders that change one seat each acknowledge nothing apart) {
  // Node 0 leads four voters, and 4 stands by.
  form_of(4);
  start(4);
  CAF_REQUIRE(change(0, 4, raft_role::standby) == success);
  commit_servers(0, 9000, 1);
  CAF_REQUIRE(await_agreement());
  elapse(500ms);
  CAF_REQUIRE(leader() == 0u);
  // It is cut off with node 4, which it was about to promote.
  split({0, 4}, {1, 2, 3});
  set_role(0, 4, raft_role::voter);
  // Node 3 elects the next leader, and hears no more of it.
  net.filter = [](std::size_t from, std::size_t to, const std::string& bytes) {
    auto message = decode_raft_message(bytes);
    return to != 3 || from == 0 || from == 4 || !message
           || !std::holds_alternative<append_entries>(*message);
  };
  CAF_REQUIRE(await([&] { return is_elected(1) || is_elected(2); }));
  std::size_t next = is_elected(1) ? 1 : 2;
  set_role(next, 0, raft_role::none);
  auto first = propose_at(next, server_at(9001));
  elapse(1s);
  // Now the network is cut elsewhere.
  split({0, 3, 4}, {1, 2});
  net.filter = nullptr;
  elapse(3s);
  auto second = propose_at(0, server_at(9002));
  elapse(6s);
  heal();
  elapse(6s);
  CAF_REQUIRE(await_agreement());
  for (std::size_t i = 1; i < 5; ++i)
    CAF_CHECK_EQUAL(ports(i), ports(0));
  for (auto [written, port] : {std::pair{first, 9001}, {second, 9002}})
    if (written->has_value() && **written)
      CAF_CHECK(ports(0).contains(static_cast<std::uint16_t>(port)));
  commit_servers(*leader(), 9003, 1);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(slow_link_tests, slow_link)

CAF_TEST(a snapshot over a slow link delays no heartbeat) {
  fall_behind();
  auto term = state(leading)->term;
  heal();
  CAF_REQUIRE(await([&] { return state(lagging)->leader == id_of(leading); }));
  elapse(1s);
  CAF_CHECK(state(lagging)->applied_index < state(leading)->applied_index);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(state(leading)->term, term);
  CAF_CHECK_EQUAL(state(lagging)->term, term);
}

CAF_TEST(a snapshot whose parts are lost comes again) {
  fall_behind();
  heal();
  elapse(600ms);
  isolate(lagging);
  elapse(1s);
  CAF_CHECK(state(lagging)->applied_index < state(leading)->applied_index);
  heal();
  // Nobody says here that a link is gone, so both sides wait for what was lost.
  elapse(16s);
  CAF_CHECK(await_agreement());
}

CAF_TEST_FIXTURE_SCOPE_END()

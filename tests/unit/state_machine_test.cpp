#define CAF_SUITE state_machine

#include "discovery/catalog/state_machine.hpp"

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

constexpr member_id alice{1};
constexpr member_id bob{2};

node_info info_of(member_id id, std::string name, std::uint64_t incarnation) {
  node_info result;
  result.id = id;
  result.name = std::move(name);
  result.incarnation = incarnation;
  return result;
}

struct fixture {
  state_machine machine;
  std::uint64_t index = 0;
  std::uint64_t sequence = 0;

  apply_result apply(command_body body) {
    ++sequence;
    return machine.apply(
      {{alice, 1, sequence, sequence}, 1000, std::move(body)}, ++index, 1);
  }

  errc refused(command_body body) {
    return static_cast<errc>(apply(std::move(body)).code);
  }

  bool succeeds(command_body body) { return apply(std::move(body)).code == 0; }

  std::string last_event() const {
    auto state = machine.state();
    return state.events->empty() ? "" : state.events->back().message;
  }

  std::size_t event_count() const { return machine.state().events->size(); }

  void register_both() {
    CAF_REQUIRE(succeeds(register_node{info_of(alice, "alice", 1)}));
    CAF_REQUIRE(succeeds(register_node{info_of(bob, "bob", 1)}));
  }

  verdict verdict_on(member_id id) const {
    return machine.state().members.at(id).state;
  }
};

slot_table table_of(std::uint64_t epoch) {
  slot_table result;
  result.epoch = epoch;
  result.nodes = {alice, bob};
  result.owner.resize(slot_count);
  result.owner[7] = 1;
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(state_machine_tests, fixture)

CAF_TEST(a cluster is created once) {
  CAF_CHECK(succeeds(create_cluster{"uuid", "one"}));
  CAF_CHECK(refused(create_cluster{"other", "two"}) == errc::conflict);
  CAF_CHECK_EQUAL(machine.cluster_uuid(), "uuid");
  CAF_CHECK_EQUAL(machine.state().cluster_name, "one");
  CAF_CHECK_EQUAL(last_event(), "cluster one was founded");
}

CAF_TEST(members join once and keep their names) {
  register_both();
  CAF_CHECK_EQUAL(last_event(), "bob joined");
  CAF_CHECK(refused(register_node{info_of(member_id{3}, "bob", 1)})
            == errc::conflict);
  CAF_CHECK_EQUAL(machine.state().members.size(), 2u);
  CAF_CHECK(refused(register_node{info_of(member_id::none, "x", 1)})
            == errc::invalid_field);
  // The same again is no news.
  CAF_CHECK(succeeds(register_node{info_of(bob, "bob", 1)}));
  CAF_CHECK_EQUAL(event_count(), 2u);
}

CAF_TEST(no two present members are more than one protocol version apart) {
  register_both();
  auto newer = info_of(member_id{3}, "carol", 1);
  newer.protocol = protocol_version + 1;
  CAF_CHECK(succeeds(register_node{newer}));
  auto newest = info_of(member_id{4}, "dave", 1);
  newest.protocol = protocol_version + 2;
  CAF_CHECK(refused(register_node{newest}) == errc::incompatible);
  CAF_CHECK(machine.state().members.count(newest.id) == 0);
  auto upgraded = info_of(alice, "alice", 2);
  upgraded.protocol = protocol_version + 1;
  CAF_CHECK(succeeds(register_node{upgraded}));
  CAF_CHECK(refused(register_node{newest}) == errc::incompatible);
  // Who is gone speaks to nobody.
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::left, "", alice}));
  CAF_CHECK(succeeds(register_node{newest}));
  CAF_CHECK(refused(register_node{info_of(bob, "bob", 2)})
            == errc::incompatible);
}

CAF_TEST(a node that joins with other routes is warned of) {
  auto info = [](member_id id, const char* name, std::uint64_t routes) {
    auto result = info_of(id, name, 1);
    result.routes_digest = routes;
    return register_node{result};
  };
  CAF_CHECK(succeeds(info(alice, "alice", 5)));
  CAF_CHECK(succeeds(info(bob, "bob", 5)));
  CAF_CHECK_EQUAL(last_event(), "bob joined");
  CAF_CHECK(succeeds(info(member_id{3}, "carol", 6)));
  auto state = machine.state();
  CAF_CHECK_EQUAL(state.events->back().level, "warning");
  CAF_CHECK_EQUAL(last_event(),
                  "carol has other settings of proxy.routes or "
                  "proxy.defaultService than alice, bob: the same request may "
                  "get another answer there");
  // One that tells nothing is taken for equal.
  CAF_CHECK(succeeds(info(member_id{4}, "dave", 0)));
  CAF_CHECK_EQUAL(last_event(), "dave joined");
}

CAF_TEST(a name is free once its member is down) {
  register_both();
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::down, "gone", alice}));
  CAF_CHECK(succeeds(register_node{info_of(member_id{3}, "bob", 1)}));
}

CAF_TEST(verdicts change a member and stand in the events) {
  register_both();
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::suspect, "silent", alice}));
  CAF_CHECK_EQUAL(last_event(),
                  "bob is suspect (was alive): silent, says alice");
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::down, "refused", alice}));
  auto bobs = machine.state().members.at(bob);
  CAF_CHECK(bobs.state == verdict::down);
  CAF_CHECK_EQUAL(bobs.reason, "refused");
  CAF_CHECK(bobs.reported_by == alice);
  CAF_CHECK_EQUAL(machine.state().events->back().level, "error");
  CAF_CHECK(refused(set_verdict{member_id{9}, 1, verdict::down, "", alice})
            == errc::not_found);
}

CAF_TEST(a verdict on an earlier incarnation is ignored) {
  register_both();
  CAF_CHECK(succeeds(register_node{info_of(bob, "bob", 2)}));
  CAF_CHECK_EQUAL(last_event(), "bob is back");
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::down, "late", alice}));
  CAF_CHECK(verdict_on(bob) == verdict::alive);
  CAF_CHECK(refused(register_node{info_of(bob, "bob", 1)}) == errc::conflict);
}

CAF_TEST(a member that left comes back by registering only) {
  register_both();
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::left, "", alice}));
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::down, "late", alice}));
  CAF_CHECK(verdict_on(bob) == verdict::left);
  CAF_CHECK(succeeds(register_node{info_of(bob, "bob", 2)}));
  CAF_CHECK(verdict_on(bob) == verdict::alive);
  CAF_CHECK_EQUAL(last_event(), "bob is back (was left)");
}

CAF_TEST(only a member that is gone and has no role is forgotten) {
  register_both();
  machine.apply_configuration(
    {{alice, raft_role::voter}, {bob, raft_role::voter}}, ++index);
  CAF_CHECK(refused(forget_node{bob}) == errc::conflict);
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::left, "", alice}));
  CAF_CHECK(refused(forget_node{bob}) == errc::conflict);
  machine.apply_configuration({{alice, raft_role::voter}}, ++index);
  CAF_CHECK(succeeds(forget_node{bob}));
  CAF_CHECK(refused(forget_node{bob}) == errc::not_found);
}

CAF_TEST(roles follow the configuration before and after registration) {
  machine.apply_configuration(
    {{alice, raft_role::voter}, {bob, raft_role::standby}}, ++index);
  register_both();
  CAF_CHECK(machine.state().members.at(alice).role == raft_role::voter);
  CAF_CHECK(machine.state().members.at(bob).role == raft_role::standby);
  machine.apply_configuration({{bob, raft_role::voter}}, ++index);
  CAF_CHECK(machine.state().members.at(alice).role == raft_role::none);
  CAF_CHECK(machine.state().members.at(bob).role == raft_role::voter);
}

CAF_TEST(server ids are never used again) {
  CAF_CHECK_EQUAL(apply(add_server{"demo", "h", 80, 1}).value, "server-1");
  CAF_CHECK_EQUAL(apply(add_server{"demo", "h", 81, 1}).value, "server-2");
  CAF_CHECK(succeeds(remove_server{"server-2"}));
  CAF_CHECK_EQUAL(apply(add_server{"demo", "h", 81, 1}).value, "server-3");
  CAF_CHECK(refused(remove_server{"server-2"}) == errc::not_found);
  // As the REST API calls it.
  CAF_CHECK_EQUAL(apply(remove_server{"server-2"}).field, "serverId");
}

CAF_TEST(impossible servers are refused) {
  CAF_CHECK(succeeds(add_server{"demo", "h", 80, 1000}));
  CAF_CHECK(refused(add_server{"demo", "h", 80, 1}) == errc::conflict);
  CAF_CHECK(refused(add_server{"demo", "h", 0, 1}) == errc::invalid_field);
  CAF_CHECK(refused(add_server{"demo", "h", 81, 1001}) == errc::invalid_field);
  CAF_CHECK(refused(add_server{"", "h", 81, 1}) == errc::invalid_field);
  CAF_CHECK_EQUAL(apply(add_server{"demo", "", 81, 1}).field, "host");
  CAF_CHECK_EQUAL(machine.state().servers.size(), 1u);
  // The same address may serve another pool.
  CAF_CHECK(succeeds(add_server{"other", "h", 80, 1}));
}

CAF_TEST(a server is there once however it is spelled) {
  auto add = [&](const char* host) { return add_server{"demo", host, 80, 1}; };
  CAF_CHECK_EQUAL(apply(add("LOCALHOST.")).value, "server-1");
  CAF_CHECK_EQUAL(machine.state().servers.at("server-1").host, "localhost");
  for (auto host : {"localhost", "Localhost."})
    CAF_CHECK(refused(add(host)) == errc::conflict);
  CAF_CHECK(succeeds(add("0:0:0:0:0:0:0:1")));
  CAF_CHECK(refused(add("::1")) == errc::conflict);
  CAF_CHECK(succeeds(add("::ffff:127.0.0.1")));
  CAF_CHECK(refused(add("127.0.0.1")) == errc::conflict);
  CAF_CHECK_EQUAL(machine.state().servers.size(), 3u);
}

CAF_TEST(a proxy of the cluster is no server) {
  auto member = info_of(alice, "alice", 1);
  member.proxy = {"10.0.0.1", 8080};
  CAF_CHECK(succeeds(register_node{member}));
  CAF_CHECK(refused(add_server{"demo", "10.0.0.1", 8080, 1}) == errc::conflict);
  auto answer = apply(add_server{"demo", "::FFFF:10.0.0.1", 8080, 1});
  CAF_CHECK_EQUAL(answer.field, "host");
  CAF_CHECK_NOT_EQUAL(answer.detail.find("proxy of node 'alice'"),
                      std::string::npos);
  CAF_CHECK(succeeds(add_server{"demo", "10.0.0.1", 8081, 1}));
  CAF_CHECK(succeeds(add_server{"demo", "10.0.0.2", 8080, 1}));
}

CAF_TEST(health changes are events and reset nothing else) {
  apply(add_server{"demo", "h", 80, 5});
  CAF_CHECK(succeeds(set_maintenance{"server-1", true}));
  CAF_CHECK_EQUAL(last_event(), "server-1 (h:80) is in maintenance");
  CAF_CHECK(succeeds(set_health{"server-1", health::unhealthy, "refused"}));
  CAF_CHECK_EQUAL(
    last_event(),
    "server-1 (h:80) of demo changed from unknown to unhealthy: refused");
  auto events = event_count();
  CAF_CHECK(succeeds(set_health{"server-1", health::unhealthy, "timeout"}));
  CAF_CHECK(succeeds(set_maintenance{"server-1", true}));
  CAF_CHECK_EQUAL(event_count(), events);
  auto known = machine.state().servers.at("server-1");
  CAF_CHECK(known.maintenance);
  CAF_CHECK_EQUAL(known.weight, 5u);
  CAF_CHECK_EQUAL(known.condition_reason, "timeout");
  CAF_CHECK(refused(set_health{"server-9", health::healthy, ""})
            == errc::not_found);
  CAF_CHECK(refused(set_maintenance{"server-9", true}) == errc::not_found);
}

CAF_TEST(a node that is down has no say on health) {
  register_both();
  apply(add_server{"demo", "h", 80, 1});
  CAF_CHECK(succeeds(set_verdict{alice, 1, verdict::suspect, "late", bob}));
  CAF_CHECK(succeeds(set_health{"server-1", health::healthy, ""}));
  CAF_CHECK(succeeds(set_verdict{alice, 1, verdict::down, "late", bob}));
  auto late = apply(set_health{"server-1", health::unhealthy, "refused"});
  CAF_CHECK(static_cast<errc>(late.code) == errc::conflict);
  CAF_CHECK_EQUAL(late.detail, "checked by alice, which is down");
  CAF_CHECK(machine.state().servers.at("server-1").condition
            == health::healthy);
  CAF_CHECK(succeeds(register_node{info_of(alice, "alice", 1)}));
  CAF_CHECK(succeeds(set_health{"server-1", health::unhealthy, "refused"}));
}

CAF_TEST(servers have a limit) {
  for (std::size_t i = 0; i < max_catalog_servers; ++i)
    CAF_REQUIRE(succeeds(add_server{"demo", "h" + std::to_string(i), 80, 1}));
  CAF_CHECK(refused(add_server{"demo", "one more", 80, 1}) == errc::too_large);
  CAF_CHECK(succeeds(remove_server{"server-7"}));
  CAF_CHECK(succeeds(add_server{"demo", "one more", 80, 1}));
}

CAF_TEST(slot tables follow each other) {
  CAF_CHECK(refused(assign_slots{table_of(2)}) == errc::conflict);
  CAF_CHECK(succeeds(assign_slots{table_of(1)}));
  CAF_CHECK(refused(assign_slots{table_of(1)}) == errc::conflict);
  auto hole = table_of(2);
  hole.owner.pop_back();
  CAF_CHECK(refused(assign_slots{hole}) == errc::invalid_field);
  auto stranger = table_of(2);
  stranger.owner[0] = 2;
  CAF_CHECK(refused(assign_slots{stranger}) == errc::invalid_field);
  CAF_CHECK(machine.state().slots->owner_of(7) == bob);
  CAF_CHECK(machine.state().slots->owner_of(8) == alice);
}

CAF_TEST(states handed out earlier do not change) {
  apply(add_server{"demo", "h", 80, 1});
  auto before = machine.state();
  apply(assign_slots{table_of(1)});
  apply(add_server{"demo", "h", 81, 1});
  CAF_CHECK_EQUAL(before.events->size(), 1u);
  CAF_CHECK_EQUAL(before.slots->epoch, 0u);
  CAF_CHECK_EQUAL(before.servers.size(), 1u);
  CAF_CHECK_EQUAL(machine.state().events->size(), 3u);
}

CAF_TEST(the event ring is bounded and its ids go on) {
  for (int i = 0; i < 1005; ++i)
    apply(record_event{{{}, "node", "n", "happened", "info", 0}});
  auto events = machine.state().events;
  CAF_CHECK_EQUAL(events->size(), 1000u);
  CAF_CHECK_EQUAL(events->front().id, "event-6");
  CAF_CHECK_EQUAL(events->back().id, "event-1005");
  CAF_CHECK_EQUAL(events->back().at, 1000);
}

CAF_TEST(a retried command applies once and gives its first result) {
  command add{{bob, 1, 1, 1}, 1000, add_server{"demo", "h", 80, 1}};
  auto first = machine.apply(add, 1, 1);
  auto again = machine.apply(add, 2, 1);
  CAF_CHECK_EQUAL(again.code, 0);
  CAF_CHECK_EQUAL(again.value, "server-1");
  CAF_CHECK_EQUAL(again.index, first.index);
  CAF_CHECK_EQUAL(machine.state().servers.size(), 1u);
  CAF_CHECK_EQUAL(machine.applied_index(), 2u);
}

CAF_TEST(commands may be retried out of order until they are answered) {
  auto add = [](std::uint64_t sequence, std::uint64_t answered_below) {
    auto port = static_cast<std::uint16_t>(80 + sequence);
    return command{{bob, 1, sequence, answered_below},
                   1000,
                   add_server{"demo", "h", port, 1}};
  };
  machine.apply(add(2, 1), 1, 1);
  machine.apply(add(1, 1), 2, 1);
  machine.apply(add(3, 1), 3, 1);
  CAF_CHECK_EQUAL(machine.state().servers.size(), 3u);
  machine.apply(add(2, 1), 4, 1);
  machine.apply(add(4, 3), 5, 1); // 1 and 2 are answered
  CAF_CHECK_EQUAL(machine.state().servers.size(), 4u);
  auto late = machine.apply(add(2, 1), 6, 1);
  CAF_CHECK(static_cast<errc>(late.code) == errc::conflict);
  CAF_CHECK_EQUAL(machine.state().servers.size(), 4u);
}

CAF_TEST(a late command of an earlier process changes nothing) {
  machine.apply({{bob, 2, 1, 1}, 1000, add_server{"demo", "h", 80, 1}}, 1, 1);
  auto late =
    machine.apply({{bob, 1, 7, 1}, 1000, add_server{"demo", "h", 81, 1}}, 2, 1);
  CAF_CHECK(static_cast<errc>(late.code) == errc::conflict);
  CAF_CHECK_EQUAL(machine.state().servers.size(), 1u);
  // And the sequences of a new one begin again.
  auto next =
    machine.apply({{bob, 3, 1, 1}, 1000, add_server{"demo", "h", 82, 1}}, 3, 1);
  CAF_CHECK_EQUAL(next.code, 0);
}

CAF_TEST(a node with a new id replaces the dead one of its name) {
  register_both();
  constexpr member_id again{9};
  CAF_CHECK(refused(register_node{info_of(again, "bob", 1)}) == errc::conflict);
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::down, "gone", alice}));
  CAF_CHECK(succeeds(register_node{info_of(again, "bob", 1)}));
  CAF_CHECK(verdict_on(bob) == verdict::left);
  CAF_CHECK(machine.state().members.at(bob).dismissed);
  CAF_CHECK(verdict_on(again) == verdict::alive);
  // The old one can't come back.
  CAF_CHECK(refused(register_node{info_of(bob, "bob", 2)}) == errc::conflict);
}

CAF_TEST(
  a node elsewhere takes the name of a dead one only once it is removed) {
  register_both();
  machine.apply_configuration(
    {{alice, raft_role::voter}, {bob, raft_role::voter}}, ++index);
  auto elsewhere = info_of(member_id{9}, "bob", 1);
  elsewhere.cluster = {"10.0.0.9", 3007};
  for (auto gone : {verdict::down, verdict::left}) {
    CAF_CHECK(succeeds(set_verdict{bob, 1, gone, "gone", alice}));
    CAF_CHECK(refused(register_node{elsewhere}) == errc::conflict);
    CAF_CHECK(verdict_on(bob) == gone);
    CAF_CHECK(!machine.state().members.at(bob).dismissed);
  }
  // Its seat is still its own.
  CAF_CHECK(succeeds(register_node{info_of(bob, "bob", 2)}));
  CAF_CHECK(succeeds(dismiss_node{bob, "removed"}));
  CAF_CHECK(succeeds(register_node{elsewhere}));
  CAF_CHECK(verdict_on(member_id{9}) == verdict::alive);
}

CAF_TEST(an operator removes a member for good but not the last voter) {
  register_both();
  machine.apply_configuration(
    {{alice, raft_role::voter}, {bob, raft_role::voter}}, ++index);
  CAF_CHECK(succeeds(dismiss_node{bob, "removed"}));
  CAF_CHECK(verdict_on(bob) == verdict::left);
  CAF_CHECK(refused(register_node{info_of(bob, "bob", 2)}) == errc::conflict);
  CAF_CHECK(refused(dismiss_node{alice, "removed"}) == errc::conflict);
  CAF_CHECK(refused(dismiss_node{member_id{7}, ""}) == errc::not_found);
}

CAF_TEST(a member whose vote is needed is removed only by force) {
  register_both();
  constexpr member_id carol{3};
  CAF_CHECK(succeeds(register_node{info_of(carol, "carol", 1)}));
  machine.apply_configuration({{alice, raft_role::voter},
                               {bob, raft_role::voter},
                               {carol, raft_role::voter}},
                              ++index);
  CAF_CHECK(succeeds(set_verdict{carol, 1, verdict::down, "gone", alice}));
  auto kept = apply(dismiss_node{bob, "removed"});
  CAF_CHECK(static_cast<errc>(kept.code) == errc::conflict);
  CAF_CHECK_EQUAL(kept.detail,
                  "without bob there is no quorum: of the 2 voters "
                  "left 2 must live and 1 do");
  CAF_CHECK(verdict_on(bob) == verdict::alive);
  // A suspect may be gone too.
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::suspect, "late", alice}));
  CAF_CHECK(refused(dismiss_node{alice, "removed"}) == errc::conflict);
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::alive, "", alice}));
  // Without the dead one the others have a quorum still.
  CAF_CHECK(succeeds(dismiss_node{carol, "removed"}));
  CAF_CHECK(succeeds(dismiss_node{bob, "removed"}));
}

CAF_TEST(a member is removed by force though no quorum is left) {
  register_both();
  constexpr member_id carol{3};
  CAF_CHECK(succeeds(register_node{info_of(carol, "carol", 1)}));
  machine.apply_configuration({{alice, raft_role::voter},
                               {bob, raft_role::voter},
                               {carol, raft_role::voter}},
                              ++index);
  CAF_CHECK(succeeds(set_verdict{carol, 1, verdict::down, "gone", alice}));
  CAF_CHECK(refused(dismiss_node{bob, "removed"}) == errc::conflict);
  CAF_CHECK(succeeds(dismiss_node{bob, "removed", true}));
  CAF_CHECK(verdict_on(bob) == verdict::left);
}

CAF_TEST(a stand - by is removed however many voters live) {
  register_both();
  constexpr member_id carol{3};
  CAF_CHECK(succeeds(register_node{info_of(carol, "carol", 1)}));
  machine.apply_configuration({{alice, raft_role::voter},
                               {bob, raft_role::voter},
                               {carol, raft_role::standby}},
                              ++index);
  CAF_CHECK(succeeds(set_verdict{bob, 1, verdict::down, "gone", alice}));
  CAF_CHECK(succeeds(dismiss_node{carol, "removed"}));
}

CAF_TEST(a cluster is recovered from one of its members) {
  apply(create_cluster{"old", "one"});
  register_both();
  apply(add_server{"demo", "h", 80, 1});
  CAF_CHECK(refused(recover_cluster{"new", member_id{7}}) == errc::not_found);
  CAF_CHECK_EQUAL(machine.cluster_uuid(), "old");
  CAF_CHECK(succeeds(recover_cluster{"new", alice}));
  auto state = machine.state();
  CAF_CHECK_EQUAL(state.cluster_uuid, "new");
  CAF_CHECK_EQUAL(state.cluster_name, "one");
  CAF_CHECK_EQUAL(state.members.size(), 1u);
  CAF_CHECK_EQUAL(state.servers.size(), 1u);
  CAF_CHECK_EQUAL(last_event(), "the cluster was recovered from alice alone; "
                                "removed: bob");
  // With an empty data directory, under the old name.
  CAF_CHECK(succeeds(register_node{info_of(member_id{9}, "bob", 1)}));
}

CAF_TEST(a command counts only in the term it was decided in) {
  command late{{bob, 1, 1, 1}, 1000, add_server{"demo", "h", 80, 1}, 4};
  auto refused = machine.apply(late, 1, 5);
  CAF_CHECK(static_cast<errc>(refused.code) == errc::conflict);
  CAF_CHECK(machine.state().servers.empty());
  command timely{{bob, 1, 2, 1}, 1000, add_server{"demo", "h", 80, 1}, 5};
  CAF_CHECK_EQUAL(machine.apply(timely, 2, 5).code, 0);
}

CAF_TEST(a snapshot carries everything) {
  apply(create_cluster{"uuid", "one"});
  register_both();
  machine.apply_configuration({{alice, raft_role::voter}}, ++index);
  apply(add_server{"demo", "h", 80, 1});
  apply(assign_slots{table_of(1)});
  apply(put_key{"leader", "1"});
  command pending{{bob, 1, 5, 1}, 1000, add_server{"demo", "h", 81, 1}};
  machine.apply(pending, ++index, 1);
  state_machine copy;
  CAF_REQUIRE(!copy.restore(machine.snapshot()));
  CAF_CHECK_EQUAL(copy.snapshot(), machine.snapshot());
  auto state = copy.state();
  CAF_CHECK_EQUAL(state.cluster_uuid, "uuid");
  CAF_CHECK_EQUAL(state.applied_index, index);
  CAF_CHECK(state.members.at(alice).role == raft_role::voter);
  CAF_CHECK_EQUAL(state.slots->owner_of(7), bob);
  CAF_CHECK_EQUAL(state.events->size(), machine.state().events->size());
  // Replies and counters too.
  CAF_CHECK_EQUAL(copy.apply(pending, index + 1, 1).value, "server-2");
  CAF_CHECK_EQUAL(copy.state().servers.size(), 2u);
  command next{{bob, 1, 6, 1}, 1000, add_server{"demo", "h", 82, 1}};
  CAF_CHECK_EQUAL(copy.apply(next, index + 2, 1).value, "server-3");
}

CAF_TEST(a bad snapshot leaves the state alone) {
  apply(create_cluster{"uuid", "one"});
  auto good = machine.snapshot();
  for (const auto& bad :
       {std::string{}, good.substr(0, good.size() / 2), good + "x"})
    CAF_CHECK(describe(machine.restore(bad)).code == errc::corrupt);
  auto newer = good;
  newer[0] = 9;
  CAF_CHECK(describe(machine.restore(newer)).code == errc::incompatible);
  CAF_CHECK_EQUAL(machine.snapshot(), good);
}

CAF_TEST_FIXTURE_SCOPE_END()

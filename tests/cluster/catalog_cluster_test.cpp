#define CAF_SUITE catalog_cluster

#include "tests/cluster/simulated_cluster.hpp"

#include "discovery/catalog/state_machine.hpp"
#include "discovery/raft/raft_message.hpp"
#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

errc code_of(const caf::error& x) {
  return describe(x).code;
}

bool has_event(const cluster_state& state, std::string_view part) {
  return std::any_of(state.events->begin(), state.events->end(), [&](auto& x) {
    return x.message.find(part) != std::string::npos;
  });
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(catalog_cluster_tests, simulated_cluster)

CAF_TEST(a bootstrapped cluster grows to three voters) {
  form();
  for (std::size_t i = 0; i < 3; ++i) {
    auto now = state(i);
    CAF_CHECK_EQUAL(now->cluster_name, "test");
    CAF_CHECK_EQUAL(now->cluster_uuid.size(), 36u);
    CAF_CHECK(now->cluster_uuid == state(0)->cluster_uuid);
    CAF_CHECK_EQUAL(now->leader, id_of(0));
    CAF_REQUIRE_EQUAL(now->members.size(), 3u);
    for (auto& [id, member] : now->members) {
      CAF_CHECK(member.role == raft_role::voter);
      CAF_CHECK(member.state == verdict::alive);
    }
    CAF_CHECK(has_event(*now, "node-3 joined"));
  }
}

CAF_TEST(a second bootstrap is refused) {
  form();
  for (std::size_t i : {0, 1}) {
    auto again = ask<done>(nodes[i].catalog, bootstrap_cluster{"other"});
    CAF_REQUIRE(await([&] { return again->has_value(); }));
    CAF_REQUIRE(!**again);
    CAF_CHECK(code_of((**again).error()) == errc::conflict);
  }
  CAF_CHECK(state(1)->cluster_name == "test");
}

CAF_TEST(who asks a follower does not wait for a heartbeat) {
  form();
  auto follower = (await_leader() + 1) % 3;
  for (std::uint16_t port = 9000; port < 9005; ++port) {
    elapse(30ms);
    auto result = propose_at(follower, server_at(port));
    CAF_CHECK(await([&] { return result->has_value(); }, 5ms));
    // Nor do the others hear of it later.
    CAF_CHECK(
      await([&] { return ports((follower + 1) % 3).contains(port); }, 5ms));
  }
}

CAF_TEST(a command is answered once its own node has applied it) {
  form();
  net.delay_min = net.delay_max = 5ms;
  for (std::size_t i = 0; i < 3; ++i) {
    auto port = static_cast<std::uint16_t>(9000 + i);
    auto result = propose_at(i, server_at(port));
    CAF_REQUIRE(await([&] { return result->has_value(); }));
    CAF_CHECK_EQUAL((***result).value, "server-" + std::to_string(i + 1));
    CAF_CHECK(ports(i).contains(port));
  }
}

CAF_TEST(a refused command tells its code) {
  form();
  commit_at(1, server_at(9000));
  auto again = propose_at(2, server_at(9000));
  CAF_REQUIRE(await([&] { return again->has_value(); }));
  CAF_REQUIRE(**again);
  CAF_CHECK(code_of((***again).failure()) == errc::conflict);
}

CAF_TEST(commands that arrive during a commit share the next one) {
  form();
  net.delay_min = net.delay_max = 10ms;
  auto before = nodes[0].disk->contents.entries.size();
  std::vector<outcome<apply_result>> results;
  for (std::uint16_t i = 0; i < 100; ++i)
    results.push_back(propose_at(i % 3, server_at(9000 + i)));
  // One round for the first, one for all others that had arrived by then, and
  // the heartbeat that tells the followers.
  elapse(115ms);
  for (auto& result : results)
    CAF_CHECK(result->has_value() && **result);
  CAF_CHECK_EQUAL(nodes[0].disk->contents.entries.size(), before + 100);
  CAF_CHECK_EQUAL(state(0)->servers.size(), 100u);
}

CAF_TEST(the next leader has every acknowledged command) {
  form();
  for (std::uint16_t port = 9000; port < 9020; ++port)
    commit_at(port % 3, server_at(port));
  auto old = await_leader();
  crash(old);
  auto next = await_leader();
  CAF_CHECK_NOT_EQUAL(old, next);
  CAF_CHECK_EQUAL(ports(next).size(), 20u);
  commit_at(next, server_at(9100));
  start(old);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(old).size(), 21u);
  CAF_CHECK(has_event(*state(old), "leads the cluster"));
}

CAF_TEST(a command under way when the leader dies applies once) {
  form();
  net.delay_min = net.delay_max = 3ms;
  auto old = await_leader();
  auto client = (old + 1) % 3;
  // The entry reaches the followers, but no answer comes back.
  cut(client, old);
  auto third = (old + 2) % 3;
  auto first = propose_at(client, server_at(9000));
  auto second = propose_at(third, server_at(9001));
  elapse(5ms);
  crash(old);
  heal();
  CAF_REQUIRE(await([&] { return first->has_value() && second->has_value(); }));
  CAF_CHECK(**first);
  CAF_CHECK(**second);
  start(old);
  CAF_REQUIRE(await_agreement());
  for (std::size_t i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(state(i)->servers.size(), 2u);
}

CAF_TEST(a commit that is slow is not taken for a missing quorum) {
  form();
  auto first = await_leader();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (i != first)
      nodes[i].disk->latency = 6s;
  auto slow = propose_at(first, server_at(9000));
  CAF_REQUIRE(await([&] { return slow->has_value(); }));
  CAF_REQUIRE(!**slow);
  auto what = describe((**slow).error());
  CAF_CHECK(what.code == errc::timed_out);
  CAF_CHECK_NOT_EQUAL(what.detail.find("may yet be applied"),
                      std::string::npos);
  CAF_CHECK(await([&] { return !ports(first).empty(); }));
}

CAF_TEST(a leader without a quorum commits nothing and its client is told) {
  form();
  auto old = await_leader();
  isolate(old);
  auto lost = propose_at(old, server_at(9000));
  auto next = [&] {
    CAF_REQUIRE(await([&] {
      auto who = leader();
      return who && *who != old;
    }));
    return *leader();
  }();
  commit_at(next, server_at(9001));
  CAF_CHECK(!lost->has_value());
  CAF_CHECK(ports(old).empty());
  CAF_REQUIRE(await([&] { return lost->has_value(); }));
  CAF_REQUIRE(!**lost);
  CAF_CHECK(code_of((**lost).error()) == errc::no_quorum);
  CAF_CHECK(state(old)->leader == member_id::none);
  heal();
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(old), (std::set<std::uint16_t>{9001}));
}

CAF_TEST(a partitioned leader retries its command at the next one) {
  form();
  auto old = await_leader();
  isolate(old);
  auto late = propose_at(old, server_at(9000));
  elapse(2000ms);
  CAF_CHECK(!late->has_value());
  heal();
  CAF_REQUIRE(await([&] { return late->has_value(); }));
  CAF_REQUIRE(**late);
  CAF_REQUIRE(await_agreement());
  for (std::size_t i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(state(i)->servers.size(), 1u);
}

CAF_TEST(a link that is cut one way does not unseat the leader) {
  form();
  auto old = await_leader();
  auto term = state(old)->term;
  auto deaf = (old + 1) % 3;
  cut(old, deaf); // it hears no heartbeats and asks for votes
  elapse(3000ms);
  CAF_CHECK_EQUAL(await_leader(), old);
  CAF_CHECK(state(old)->term == term);
  commit_at(old, server_at(9000));
  heal();
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(state(deaf)->servers.size(), 1u);
}

CAF_TEST(all nodes go on from their logs) {
  form();
  for (std::uint16_t port = 9000; port < 9010; ++port)
    commit_at(0, server_at(port));
  auto uuid = state(0)->cluster_uuid;
  for (std::size_t i = 0; i < 3; ++i)
    crash(i);
  elapse(100ms);
  for (std::size_t i = 0; i < 3; ++i)
    start(i);
  auto who = await_leader();
  commit_at(who, server_at(9010));
  CAF_REQUIRE(await_agreement());
  for (std::size_t i = 0; i < 3; ++i) {
    CAF_CHECK_EQUAL(ports(i).size(), 11u);
    CAF_CHECK(state(i)->cluster_uuid == uuid);
    CAF_CHECK(state(i)->members.at(id_of(2)).role == raft_role::voter);
  }
}

CAF_TEST(a founding that a crash interrupted can be finished) {
  start(0);
  nodes[0].disk->latency = 5ms;
  auto first = ask<done>(nodes[0].catalog, bootstrap_cluster{"test"});
  // The configuration is durable, the first command is not.
  CAF_REQUIRE(await([&] { return !nodes[0].disk->contents.entries.empty(); }));
  restart(0);
  CAF_REQUIRE(await([&] { return leader() == 0u; }));
  CAF_CHECK(state(0)->cluster_uuid.empty());
  auto second = ask<done>(nodes[0].catalog, bootstrap_cluster{"test"});
  CAF_REQUIRE(await([&] { return second->has_value(); }));
  CAF_CHECK(**second);
  CAF_CHECK(state(0)->cluster_name == "test");
}

CAF_TEST(a killed catalog goes on with the same log and incarnation) {
  form();
  commit_at(1, server_at(9000));
  auto& x = nodes[1];
  caf::anon_send_exit(x.catalog, caf::exit_reason::kill);
  consume_messages();
  x.view = std::make_shared<published<cluster_state>>();
  --x.config.self.incarnation;
  auto ids = x.config.ids;
  start(1, ids);
  // Its commands are not taken for those of its predecessor.
  CAF_REQUIRE(await([&] { return state(1)->servers.size() == 1; }));
  CAF_CHECK_EQUAL(commit_at(1, server_at(9001)).value, "server-2");
}

CAF_TEST(a node whose identity was restored from an older copy loses nothing) {
  form();
  restart(1);
  for (std::uint16_t port = 9000; port < 9010; ++port)
    commit_at(1, server_at(port));
  // Its next process has the same incarnation, and counts from one again.
  crash(1);
  --nodes[1].config.self.incarnation;
  start(1);
  await_leader();
  for (std::uint16_t port = 9010; port < 9030; ++port)
    commit_at(1, server_at(port));
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(0).size(), 30u);
}

CAF_TEST(a node and its clone write in turn) {
  form();
  commit_at(1, server_at(9000));
  auto incarnation = nodes[1].config.self.incarnation;
  for (std::uint16_t round = 0; round < 3; ++round) {
    // The clone, then another process of the original; each counts from one.
    for (std::uint16_t which : {0, 1}) {
      crash(1);
      nodes[1].config.self.incarnation = incarnation + round;
      start(1);
      await_leader();
      for (std::uint16_t i = 1; i <= 5; ++i)
        commit_at(1, server_at(static_cast<std::uint16_t>(9000 + 10 * round
                                                          + 5 * which + i)));
    }
  }
  CAF_REQUIRE(await_agreement());
  CAF_CHECK_EQUAL(ports(0).size(), 31u);
}

CAF_TEST(a node says that its state is an old one until it has caught up) {
  form();
  // More than a leader sends at once.
  std::vector<outcome<apply_result>> written;
  for (std::uint16_t port = 9000; port < 9700; ++port)
    written.push_back(propose_at(0, server_at(port)));
  CAF_REQUIRE(await([&] { return written.back()->has_value(); }));
  auto old_uuid = state(0)->cluster_uuid;
  // All nodes but the first are lost, and it goes on alone under another id.
  for (std::size_t i = 0; i < 3; ++i)
    crash(i);
  recover(0);
  start(0);
  commit_at(0, server_at(9700));
  auto uuid = state(0)->cluster_uuid;
  CAF_REQUIRE(uuid != old_uuid);
  CAF_CHECK(state(0)->caught_up);
  // A new node passes through all that was.
  auto shown_old = 0;
  nodes[1].disk = std::make_shared<memory_disk>();
  net.delay_min = net.delay_max = 5ms;
  invariant = [&] {
    if (!nodes[1].up || state(1)->cluster_uuid.empty())
      return;
    CAF_CHECK(!state(1)->caught_up || state(1)->cluster_uuid == uuid);
    if (state(1)->cluster_uuid == old_uuid)
      ++shown_old;
  };
  start(1);
  add_voter(1);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK(state(1)->caught_up);
  CAF_CHECK_GREATER(shown_old, 0);
  // So does one that was stopped before its log said more.
  shown_old = 0;
  crash(1);
  nodes[1].disk->contents.commit = 20;
  start(1);
  CAF_REQUIRE(await_agreement());
  CAF_CHECK(state(1)->caught_up);
  CAF_CHECK_GREATER(shown_old, 0);
}

CAF_TEST(a leader is shown once it knows what was committed before) {
  form();
  commit_at(0, server_at(9000));
  auto old = await_leader();
  // The next leader has the command, and does not know that it is committed.
  net.filter = [=](std::size_t from, std::size_t, const std::string& bytes) {
    auto message = decode_raft_message(bytes);
    auto* append = message ? std::get_if<append_entries>(&*message) : nullptr;
    return from != old || append == nullptr || !append->entries.empty();
  };
  commit_at(old, server_at(9001));
  crash(old);
  net.filter = nullptr;
  net.delay_min = net.delay_max = 5ms;
  invariant = [&] {
    for (std::size_t i = 0; i < 3; ++i)
      if (nodes[i].up && state(i)->leader == id_of(i))
        CAF_CHECK(ports(i).contains(9001));
  };
  auto next = await_leader();
  CAF_CHECK_NOT_EQUAL(next, old);
}

CAF_TEST(a broken disk ends the catalog with that error) {
  form();
  auto victim = (await_leader() + 1) % 3;
  nodes[victim].disk->is = memory_disk::condition::broken;
  auto reason = std::make_shared<caf::error>();
  auto watcher = sys.spawn([=](caf::event_based_actor* self) {
    self->set_down_handler(
      [=](caf::down_msg& x) { *reason = std::move(x.reason); });
    return caf::behavior{[=](const caf::actor& who) { self->monitor(who); }};
  });
  self->send(watcher, caf::actor_cast<caf::actor>(nodes[victim].catalog));
  commit_at(*leader(), server_at(9000));
  CAF_REQUIRE(await([&] { return static_cast<bool>(*reason); }));
  CAF_CHECK(code_of(*reason) == errc::storage_failed);
  CAF_CHECK_EQUAL(describe(*reason).detail, "the disk is broken");
}

CAF_TEST(a snapshot that cannot be read is not kept) {
  form();
  auto term = state(1)->term;
  auto leading = await_leader();
  auto victim = (leading + 1) % 3;
  log_snapshot forged{500, term,
                      encode_configuration({{id_of(0), raft_role::voter}}), 1,
                      "nonsense"};
  for (auto& state : {std::string{"nonsense"}, std::string{"\x09newer"},
                      state_machine{}.snapshot()}) {
    forged.state = state;
    self->send(nodes[victim].catalog,
               raft_message_bytes{
                 id_of(leading),
                 encode(install_snapshot{
                   term, std::make_shared<const log_snapshot>(forged)})});
    elapse(20ms);
    CAF_CHECK(!nodes[victim].disk->contents.snapshot);
  }
  restart(victim);
  commit_at(victim, server_at(9000));
  CAF_REQUIRE(await_agreement());
}

CAF_TEST(who has no session is not heard under any name) {
  form();
  auto term = state(1)->term;
  constexpr member_id stranger{99};
  auto message = encode(request_vote{term + 5, 1000, term + 4, true, false});
  self->send(nodes[1].catalog, raft_message_bytes{stranger, message});
  auto part =
    ask<done>(nodes[1].catalog, raft_message_part{stranger, 1, 100, 0, "abc"});
  // Nor is one that has none any more.
  self->send(nodes[1].catalog, peer_down{id_of(2), 1, "gone", false});
  self->send(nodes[1].catalog, raft_message_bytes{id_of(2), message});
  elapse(50ms);
  CAF_REQUIRE(part->has_value());
  CAF_REQUIRE(!**part);
  CAF_CHECK(code_of((**part).error()) == errc::conflict);
  CAF_CHECK_EQUAL(state(1)->term, term);
}

CAF_TEST(nonsense from a peer changes nothing) {
  form();
  auto index = state(1)->applied_index;
  for (std::string bytes : {"", "x", "\x01", "\x01\x92\x00\x95", "\x02\x90"})
    self->send(nodes[1].catalog, raft_message_bytes{id_of(0), bytes});
  self->send(nodes[1].catalog, raft_message_bytes{id_of(1), "\x01"});
  auto refused =
    ask<apply_result>(nodes[0].catalog, forward_command{"\x01nonsense"});
  CAF_REQUIRE(await([&] { return refused->has_value(); }));
  CAF_CHECK(code_of((**refused).error()) == errc::corrupt);
  CAF_CHECK(state(1)->applied_index == index);
  commit_at(1, server_at(9000));
}

CAF_TEST_FIXTURE_SCOPE_END()

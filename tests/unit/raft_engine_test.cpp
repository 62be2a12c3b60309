#define CAF_SUITE raft_engine

#include "discovery/raft/raft_engine.hpp"

#include <random>

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

constexpr member_id self_id{1};
constexpr member_id peer{2};
constexpr member_id third{3};

const raft_configuration_servers alone{{self_id, raft_role::voter}};
const raft_configuration_servers three{{self_id, raft_role::voter},
                                       {peer, raft_role::voter},
                                       {third, raft_role::voter}};

log_entry change_to(const raft_configuration_servers& servers,
                    std::uint64_t term) {
  return {term, entry_kind::change, encode_configuration(servers)};
}

log_contents log_of(const raft_configuration_servers& servers) {
  log_contents result;
  result.term = 1;
  result.entries.push_back(change_to(servers, 1));
  return result;
}

raft_engine make_engine() {
  raft_engine_config config;
  config.self = self_id;
  config.snapshot_trailing = 2;
  config.max_message_bytes = 10;
  return raft_engine{config};
}

struct fixture {
  raft_time now{1000};
  raft_engine engine = make_engine();

  raft_update take(caf::expected<raft_update> update) {
    if (!update)
      CAF_FAIL(describe(update.error()).detail);
    return std::move(*update);
  }

  raft_update start(log_contents contents) {
    return take(engine.start(now, std::move(contents)));
  }

  raft_update receive(const raft_message& x) {
    return take(engine.receive(now, peer, encode(x)));
  }

  raft_update take_snapshot() {
    auto where = engine.commit_position();
    CAF_REQUIRE(where);
    return take(engine.take_snapshot(now, *where, "state"));
  }

  void commit(const std::string& bytes) {
    auto update = take(engine.submit(now, {bytes}));
    take(engine.persisted(now, update.write_id));
    CAF_REQUIRE_EQUAL(engine.commit_index(), engine.last_index());
  }
};

template <class T>
T only_message(const raft_update& update) {
  CAF_REQUIRE_EQUAL(update.messages.size(), 1u);
  return std::get<T>(*decode_raft_message(update.messages[0].bytes));
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(raft_engine_tests, fixture)

CAF_TEST(a configuration survives its encoding) {
  const raft_configuration_servers mixed{{self_id, raft_role::voter},
                                         {peer, raft_role::standby}};
  auto bytes = encode_configuration(mixed);
  CAF_CHECK_EQUAL(bytes.size() % 8, 0u);
  CAF_CHECK(decode_configuration(bytes) == mixed);
  for (std::size_t size = 0; size < bytes.size() - 7; ++size)
    CAF_CHECK(!decode_configuration(std::string_view{bytes}.substr(0, size)));
  CAF_CHECK(!decode_configuration(bytes + std::string(8, '\0')));
  auto twice =
    encode_configuration({{peer, raft_role::voter}, {peer, raft_role::voter}});
  CAF_CHECK(!decode_configuration(twice));
  // The engine reads the same list from it.
  start(log_of(mixed));
  CAF_CHECK(engine.configuration() == mixed);
}

CAF_TEST(an only voter leads at once in a new term) {
  auto update = start(log_of(alone));
  CAF_CHECK(engine.leads());
  CAF_CHECK(engine.leader() == self_id);
  CAF_CHECK_EQUAL(engine.term(), 2u);
  CAF_CHECK(update.hard_state_changed);
  CAF_CHECK_EQUAL(*update.write.term, 2u);
  CAF_CHECK(*update.write.voted_for == self_id);
  // With an entry of that term, once that is durable.
  CAF_REQUIRE_EQUAL(update.write.entries.size(), 1u);
  CAF_CHECK_EQUAL(update.write.entries[0].term, 2u);
  CAF_CHECK(!engine.has_committed_in_term());
  take(engine.persisted(now, update.write_id));
  CAF_CHECK(engine.has_committed_in_term());
}

CAF_TEST(a command is committed once it is durable) {
  auto started = start(log_of(alone));
  take(engine.persisted(now, started.write_id));
  CAF_CHECK_EQUAL(engine.commit_index(), 2u);
  auto update = take(engine.submit(now, {"a", "b"}));
  CAF_CHECK_EQUAL(update.write.first_index, 3u);
  CAF_REQUIRE_EQUAL(update.write.entries.size(), 2u);
  CAF_CHECK_EQUAL(update.write.entries[1].bytes, "b");
  CAF_CHECK_EQUAL(engine.commit_index(), 2u);
  auto next = take(engine.persisted(now, update.write_id));
  CAF_CHECK(next.commit_changed);
  CAF_CHECK_EQUAL(engine.commit_index(), 4u);
  CAF_CHECK_EQUAL(engine.entry(3)->bytes, "a");
}

CAF_TEST(a follower submits nothing) {
  start(log_of(three));
  auto refused = engine.submit(now, {"a"});
  CAF_REQUIRE(!refused);
  CAF_CHECK(describe(refused.error()).code == errc::not_leader);
  CAF_CHECK(!engine.transfer(now));
  CAF_CHECK(!engine.catch_up(now, peer));
}

CAF_TEST(a vote comes with the term and vote to persist) {
  start(log_of(three));
  now += raft_time{1000};
  take(engine.timeout(now)); // stop to believe in a leader
  auto update = receive(request_vote{5, 1, 1, false, false});
  CAF_CHECK(update.hard_state_changed);
  CAF_CHECK_EQUAL(*update.write.term, 5u);
  CAF_CHECK(*update.write.voted_for == peer);
  CAF_CHECK(only_message<request_vote_result>(update).granted);
}

CAF_TEST(entries are acknowledged once they are durable) {
  start(log_of(three));
  auto update =
    receive(append_entries{2, 1, 1, 1, {{2, entry_kind::command, "a"}}});
  CAF_CHECK(update.messages.empty());
  CAF_CHECK(engine.leader() == peer);
  auto next = take(engine.persisted(now, update.write_id));
  CAF_CHECK_EQUAL(only_message<append_entries_result>(next).last_index, 2u);
}

CAF_TEST(an answer to an earlier leader invents no index) {
  auto contents = log_of(three);
  contents.term = 5;
  start(std::move(contents));
  auto update =
    receive(append_entries{4, 7, 3, 1, {{4, entry_kind::command, "a"}}});
  auto answer = only_message<append_entries_result>(update);
  CAF_CHECK_EQUAL(answer.term, 5u);
  CAF_CHECK_EQUAL(answer.rejected, 7u);
  CAF_CHECK_LESS(answer.last_index, 7u);
}

CAF_TEST(what another leader overwrote is not acknowledged late) {
  start(log_of(three));
  auto first =
    receive(append_entries{2, 1, 1, 1, {{2, entry_kind::command, "a"}}});
  auto second =
    receive(append_entries{3, 1, 1, 1, {{3, entry_kind::command, "b"}}});
  CAF_CHECK_EQUAL(engine.entry(2)->bytes, "b");
  CAF_CHECK(take(engine.persisted(now, first.write_id)).messages.empty());
  auto done = take(engine.persisted(now, second.write_id));
  CAF_CHECK_EQUAL(only_message<append_entries_result>(done).last_index, 2u);
}

CAF_TEST(configurations amid other entries take effect) {
  auto contents = log_of(three);
  start(contents);
  raft_configuration_servers two{{self_id, raft_role::voter},
                                 {peer, raft_role::voter}};
  auto update = receive(append_entries{2,
                                       1,
                                       1,
                                       5,
                                       {{2, entry_kind::command, "a"},
                                        change_to(two, 2),
                                        {2, entry_kind::command, "b"},
                                        change_to(three, 2),
                                        {2, entry_kind::command, "c"}}});
  CAF_CHECK_EQUAL(update.write.first_index, 2u);
  CAF_CHECK_EQUAL(update.write.entries.size(), 5u);
  CAF_CHECK_EQUAL(engine.commit_index(), 5u);
  CAF_CHECK(!engine.changing());
  CAF_CHECK(engine.configuration() == three);
  auto done = take(engine.persisted(now, update.write_id));
  CAF_CHECK_EQUAL(only_message<append_entries_result>(done).last_index, 6u);
}

CAF_TEST(an overwritten configuration gives way to the last committed one) {
  start(log_of(three));
  const raft_configuration_servers two{{self_id, raft_role::voter},
                                       {peer, raft_role::voter}};
  receive(append_entries{2, 1, 1, 1, {change_to(two, 2)}});
  receive(append_entries{2, 2, 2, 1, {change_to(alone, 2)}});
  receive(append_entries{2, 3, 2, 2, {}});
  CAF_CHECK_EQUAL(engine.commit_index(), 2u);
  CAF_CHECK(engine.configuration() == alone);
  receive(append_entries{3, 2, 2, 2, {{3, entry_kind::command, "a"}}});
  CAF_CHECK(engine.configuration() == two);
}

CAF_TEST(a leader that contradicts what is committed is fatal) {
  auto contents = log_of(three);
  contents.term = 3;
  contents.commit = 3;
  for (auto bytes : {"a", "b", "c"})
    contents.entries.push_back({2, entry_kind::command, bytes});
  start(contents);
  auto refused = [&](const raft_message& x) {
    auto result = engine.receive(now, peer, encode(x));
    CAF_REQUIRE(!result);
    auto why = describe(result.error());
    CAF_CHECK(why.detail.find("entry 3 is committed here")
              != std::string::npos);
    return why.code;
  };
  // By its entries, by what stands before them, and by a snapshot.
  CAF_CHECK(refused(append_entries{4, 2, 2, 1, {{4, entry_kind::command, "x"}}})
            == errc::conflict);
  CAF_CHECK(refused(append_entries{4, 3, 1, 1, {}}) == errc::conflict);
  CAF_CHECK(refused(install_snapshot{
              4, std::make_shared<const log_snapshot>(log_snapshot{
                   3, 4, encode_configuration(three), 1, "state"})})
            == errc::conflict);
  CAF_CHECK_EQUAL(engine.term(), 3u);
  // What is not committed gives way, and an old leader has no say.
  receive(append_entries{2, 2, 2, 1, {{2, entry_kind::command, "x"}}});
  CAF_CHECK_EQUAL(engine.entry(3)->bytes, "b");
  receive(append_entries{4, 3, 2, 1, {{4, entry_kind::command, "y"}}});
  CAF_CHECK_EQUAL(engine.entry(4)->bytes, "y");
}

CAF_TEST(what a follower had acknowledged is asked of it and kept) {
  start(log_of(three));
  auto update = receive(append_entries{2, 1, 1, 1, {}, 0, 9});
  CAF_REQUIRE(update.lost);
  CAF_CHECK(update.lost->who == self_id);
  CAF_CHECK_EQUAL(update.lost->first, 2u);
  CAF_CHECK_EQUAL(update.lost->last, 9u);
  CAF_CHECK_EQUAL(engine.owed(), 9u);
  CAF_CHECK_EQUAL(update.write.owed, 9u);
  // It is told once.
  CAF_CHECK(!receive(append_entries{2, 1, 1, 1, {}, 0, 9}).lost);
  // Neither its vote nor its candidacy may make up for what it lacks.
  now += raft_time{1000};
  CAF_CHECK(take(engine.timeout(now)).messages.empty());
  CAF_CHECK(engine.state() == raft_state::follower);
  CAF_CHECK(engine.leader() == member_id::none);
  CAF_CHECK(receive(request_vote{5, 8, 2, false, false}).messages.empty());
  auto vote = receive(request_vote{5, 9, 2, false, false});
  CAF_CHECK(only_message<request_vote_result>(vote).granted);
  // A restart does not make it forget.
  auto again = make_engine();
  auto contents = log_of(three);
  contents.owed = 9;
  CAF_REQUIRE(again.start(now, contents));
  CAF_CHECK_EQUAL(again.owed(), 9u);
}

CAF_TEST(a restarted node votes for nobody for an election timeout) {
  auto contents = log_of(three);
  contents.term = 4;
  start(contents);
  const request_vote asked{5, 1, 1, false, false};
  for (auto wait : {0, 298, 1}) {
    now += raft_time{wait};
    CAF_CHECK(receive(asked).messages.empty());
    CAF_CHECK_EQUAL(engine.term(), 4u);
  }
  // Whom the leader itself chose need not wait.
  auto other = make_engine();
  auto begun = other.start(now, contents);
  auto chosen =
    other.receive(now, peer, encode(request_vote{5, 1, 1, true, false}));
  CAF_REQUIRE(chosen);
  CAF_CHECK(only_message<request_vote_result>(*chosen).granted);
  now += raft_time{1};
  CAF_CHECK(only_message<request_vote_result>(receive(asked)).granted);
}

CAF_TEST(only answers of voters in this term extend the lease) {
  raft_configuration_servers servers{{self_id, raft_role::voter},
                                     {peer, raft_role::voter},
                                     {third, raft_role::standby}};
  auto contents = log_of(servers);
  start(contents);
  now += raft_time{1000};
  take(engine.timeout(now));
  auto term = engine.term() + 1;
  take(engine.receive(now, peer,
                      encode(request_vote_result{term, true, true, 0, 0})));
  take(engine.receive(now, peer,
                      encode(request_vote_result{term, true, false, 0, 0})));
  CAF_REQUIRE(engine.leads());
  auto answer = [&](member_id from, std::uint64_t in_term,
                    std::uint64_t heard_at) {
    take(engine.receive(
      now, from, encode(append_entries_result{in_term, 0, 1, 0, 0, heard_at})));
  };
  auto at = static_cast<std::uint64_t>(now.count());
  CAF_CHECK(!engine.lease(now));
  answer(third, term, at);
  CAF_CHECK(!engine.lease(now));
  answer(peer, term - 1, at);
  CAF_CHECK(!engine.lease(now));
  answer(peer, term, at - 5);
  auto held = engine.lease(now);
  CAF_REQUIRE(held);
  CAF_CHECK(held->since == now - raft_time{5});
  CAF_CHECK(held->end == now - raft_time{5} + raft_time{270});
  // Not from the future.
  answer(peer, term, at + 1000);
  CAF_CHECK(engine.lease(now)->since == now);
}

CAF_TEST(a snapshot keeps the trailing entries) {
  start(log_of(alone));
  for (auto bytes : {"a", "b", "c", "d"})
    commit(bytes);
  auto update = take_snapshot();
  CAF_REQUIRE(update.write.snapshot);
  CAF_CHECK_EQUAL(update.write.snapshot->index, 6u);
  CAF_CHECK_EQUAL(update.write.snapshot->configuration_index, 1u);
  CAF_CHECK_EQUAL(update.write.drop_below, 5u);
  CAF_CHECK(engine.entry(4) == nullptr);
  CAF_CHECK(engine.entry(5) != nullptr);
  CAF_CHECK(!engine.commit_position());
  commit("e");
}

CAF_TEST(a snapshot that takes its time leaves what came meanwhile) {
  start(log_of(alone));
  for (auto bytes : {"a", "b", "c"})
    commit(bytes);
  auto where = engine.commit_position();
  CAF_REQUIRE(where);
  auto earlier = *where;
  --earlier.index;
  for (auto bytes : {"d", "e"})
    commit(bytes);
  auto update = take(engine.take_snapshot(now, *where, "state"));
  CAF_REQUIRE(update.write.snapshot);
  CAF_CHECK_EQUAL(update.write.snapshot->index, 5u);
  CAF_CHECK_EQUAL(update.write.drop_below, 4u);
  CAF_CHECK_EQUAL(engine.last_index(), 7u);
  CAF_CHECK(engine.entry(3) == nullptr);
  CAF_REQUIRE(engine.entry(7));
  CAF_CHECK_EQUAL(engine.entry(7)->bytes, "e");
  // One that a later one overtook.
  auto late = engine.take_snapshot(now, earlier, "state");
  CAF_REQUIRE(!late);
  CAF_CHECK(describe(late.error()).code == errc::conflict);
  commit("f");
}

CAF_TEST(an occupied peer is only told that the leader lives) {
  start(log_of({{self_id, raft_role::voter}, {peer, raft_role::standby}}));
  for (auto bytes : {"a", "b", "c", "d"})
    commit(bytes);
  take_snapshot();
  // It has nothing, so what it lacks is in the snapshot.
  auto answer = [this] {
    auto sent = take(engine.timeout(now += raft_time{100}));
    auto heartbeat = only_message<append_entries>(sent);
    CAF_CHECK(heartbeat.entries.empty());
    return receive(append_entries_result{2, heartbeat.prev_index, 0, 0, 0,
                                         heartbeat.sent_at_ms});
  };
  only_message<install_snapshot>(answer());
  engine.occupied(peer, true);
  for (int i = 0; i < 3; ++i)
    CAF_CHECK(answer().messages.empty());
  engine.occupied(peer, false);
  only_message<install_snapshot>(answer());
}

CAF_TEST(an occupied peer gets small entries only) {
  start(log_of({{self_id, raft_role::voter}, {peer, raft_role::standby}}));
  auto heartbeat =
    only_message<append_entries>(take(engine.timeout(now += raft_time{100})));
  receive(append_entries_result{2, 0, engine.last_index(), 0, 0,
                                heartbeat.sent_at_ms});
  auto entries_with = [this](std::size_t bytes) {
    auto update = take(engine.submit(now, {std::string(bytes, 'x')}));
    return only_message<append_entries>(update).entries.size();
  };
  CAF_CHECK_EQUAL(entries_with(11), 1u);
  engine.occupied(peer, true);
  CAF_CHECK_EQUAL(entries_with(10), 1u);
  CAF_CHECK_EQUAL(entries_with(11), 0u);
  engine.occupied(peer, false);
  CAF_CHECK_EQUAL(entries_with(11), 1u);
}

CAF_TEST(a snapshot that an installed one overtook is not taken) {
  start(log_of(three));
  auto update =
    receive(append_entries{4, 1, 1, 2, {{4, entry_kind::command, "a"}}});
  take(engine.persisted(now, update.write_id));
  auto where = engine.commit_position();
  CAF_REQUIRE(where);
  CAF_CHECK_EQUAL(where->index, 2u);
  auto sent = std::make_shared<const log_snapshot>(
    log_snapshot{50, 4, encode_configuration(three), 1, "state"});
  update = receive(install_snapshot{4, sent});
  CAF_CHECK(!engine.commit_position());
  CAF_CHECK(!engine.take_snapshot(now, *where, "late"));
  take(engine.persisted(now, update.write_id));
  CAF_CHECK(!engine.take_snapshot(now, *where, "late"));
  CAF_CHECK_EQUAL(engine.snapshot()->state, "state");
}

CAF_TEST(an installed snapshot replaces log and state) {
  start(log_of(three));
  auto sent = std::make_shared<const log_snapshot>(
    log_snapshot{50, 3, encode_configuration(three), 1, "state"});
  auto update = receive(install_snapshot{4, sent});
  CAF_REQUIRE(update.write.snapshot);
  CAF_CHECK(update.write.drop_all_entries);
  CAF_CHECK(!update.restored);
  // A second one meanwhile is left alone.
  CAF_CHECK_EQUAL(receive(install_snapshot{4, sent}).write_id, 0u);
  auto done = take(engine.persisted(now, update.write_id));
  CAF_REQUIRE(done.restored);
  CAF_CHECK_EQUAL(done.restored->state, "state");
  CAF_CHECK_EQUAL(engine.commit_index(), 50u);
  CAF_CHECK_EQUAL(engine.last_index(), 50u);
  auto more =
    receive(append_entries{4, 50, 3, 51, {{4, entry_kind::command, "x"}}});
  CAF_CHECK_EQUAL(more.write.first_index, 51u);
}

CAF_TEST(impossible messages are refused) {
  start(log_of(alone));
  auto is_refused = [&](const raft_message& x) {
    auto result = engine.receive(now, peer, encode(x));
    return !result && describe(result.error()).code == errc::corrupt;
  };
  auto term = engine.term();
  CAF_CHECK(is_refused(append_entries{0, 0, 0, 0, {}}));
  CAF_CHECK(is_refused(append_entries{term, 1, 1, 1, {}})); // a second leader
  CAF_CHECK(is_refused(append_entries{9, 0, 3, 0, {}}));
  CAF_CHECK(is_refused(append_entries{9, 5, 10, 0, {}}));
  CAF_CHECK(
    is_refused(append_entries{9, 1, 1, 1, {{0, entry_kind::command, ""}}}));
  CAF_CHECK(
    is_refused(append_entries{9, 1, 1, 1, {{10, entry_kind::command, ""}}}));
  CAF_CHECK(is_refused(
    append_entries{9, 1, 1, 1, {{9, static_cast<entry_kind>(7), ""}}}));
  CAF_CHECK(
    is_refused(append_entries{9, 1, 1, 1, {{9, entry_kind::change, "x"}}}));
  for (std::uint64_t index : {0, 5})
    CAF_CHECK(
      is_refused(install_snapshot{9, std::make_shared<const log_snapshot>(
                                       log_snapshot{index, 1, "", 1, ""})}));
  CAF_CHECK(is_refused(request_vote_result{99, true, false, 0, 0}));
  CAF_CHECK(is_refused(timeout_now{1, 5, 2}));
  auto own = engine.receive(now, self_id, encode(timeout_now{9, 1, 1}));
  CAF_CHECK(!own);
  CAF_CHECK_EQUAL(engine.term(), term);
  CAF_CHECK(engine.leads());
}

CAF_TEST(a term that leaps is refused from anybody) {
  start(log_of(three));
  constexpr auto far = (std::uint64_t{1} << 62) - 1;
  auto is_refused = [&](member_id from, const raft_message& x) {
    auto result = engine.receive(now, from, encode(x));
    return !result && describe(result.error()).code == errc::corrupt;
  };
  for (auto term : {far, 2 + (std::uint64_t{1} << 20)}) {
    CAF_CHECK(is_refused(peer, append_entries{term, 1, 1, 1, {}}));
    CAF_CHECK(is_refused(peer, append_entries_result{term, 0, 1, 0, 0, 0}));
    CAF_CHECK(is_refused(peer, request_vote{term, 1, 1, true, false}));
    CAF_CHECK(is_refused(peer, request_vote{term, 1, 1, false, true}));
    CAF_CHECK(is_refused(peer, request_vote_result{term, false, false, 0, 0}));
    CAF_CHECK(is_refused(peer, timeout_now{term, 1, 1}));
    CAF_CHECK(is_refused(
      peer, install_snapshot{
              term, std::make_shared<const log_snapshot>(log_snapshot{
                      9, 1, encode_configuration(three), 1, "state"})}));
  }
  CAF_CHECK_EQUAL(engine.term(), 1u);
  receive(append_entries{1 + (std::uint64_t{1} << 20), 1, 1, 1, {}});
  CAF_CHECK_EQUAL(engine.term(), 1 + (std::uint64_t{1} << 20));
}

CAF_TEST(a new node takes the term that the cluster has) {
  start({});
  receive(append_entries{std::uint64_t{1} << 40, 0, 0, 0, {}});
  CAF_CHECK_EQUAL(engine.term(), std::uint64_t{1} << 40);
}

CAF_TEST(a stranger is heard only where no member has led for a while) {
  start(log_of(three));
  constexpr member_id stranger{99};
  auto is_refused = [&](const raft_message& x) {
    auto result = engine.receive(now, stranger, encode(x));
    return !result && describe(result.error()).code == errc::corrupt;
  };
  const raft_message requests[] = {
    append_entries{2, 1, 1, 1, {}}, request_vote{2, 1, 1, true, false},
    request_vote{2, 1, 1, false, true}, timeout_now{2, 1, 1},
    install_snapshot{2, std::make_shared<const log_snapshot>(log_snapshot{
                          9, 1, encode_configuration(three), 1, "state"})}};
  now += raft_time{2999};
  for (auto& request : requests)
    CAF_CHECK(is_refused(request));
  // A member leads, and the wait begins anew.
  receive(append_entries{1, 1, 1, 1, {}});
  now += raft_time{2999};
  for (auto& request : requests)
    CAF_CHECK(is_refused(request));
  CAF_CHECK_EQUAL(engine.term(), 1u);
  now += raft_time{1};
  CAF_CHECK(is_refused(append_entries_result{2, 0, 1, 0, 0, 0}));
  CAF_CHECK(is_refused(request_vote_result{2, true, false, 0, 0}));
  CAF_CHECK(!is_refused(append_entries{2, 1, 1, 1, {}}));
  CAF_CHECK(engine.leader() == stranger);
}

CAF_TEST(nothing unreadable gets to the disk) {
  raft_engine_config config;
  config.self = self_id;
  config.check_snapshot = [](const log_snapshot& x) {
    return x.state == "state" ? caf::error{}
                              : make_error(errc::incompatible, "newer");
  };
  config.check_command = [](const std::string& bytes) {
    return bytes == "command" ? caf::error{}
                              : make_error(errc::corrupt, "no command");
  };
  engine = raft_engine{config};
  start(log_of(three));
  auto snapshot_with = [](const std::string& state) {
    return install_snapshot{
      2, std::make_shared<const log_snapshot>(
           log_snapshot{50, 2, encode_configuration(three), 1, state})};
  };
  auto refused = engine.receive(now, peer, encode(snapshot_with("nonsense")));
  CAF_REQUIRE(!refused);
  CAF_CHECK(describe(refused.error()).code == errc::incompatible);
  refused = engine.receive(
    now, peer,
    encode(append_entries{2,
                          1,
                          1,
                          1,
                          {{2, entry_kind::command, "command"},
                           {2, entry_kind::command, "nonsense"}}}));
  CAF_REQUIRE(!refused);
  CAF_CHECK(describe(refused.error()).code == errc::corrupt);
  CAF_CHECK_EQUAL(engine.term(), 1u);
  CAF_CHECK_EQUAL(engine.last_index(), 1u);
  auto entry =
    receive(append_entries{2, 1, 1, 1, {{2, entry_kind::command, "command"}}});
  CAF_CHECK_EQUAL(entry.write.entries.size(), 1u);
  CAF_CHECK(receive(snapshot_with("state")).write.snapshot);
}

CAF_TEST(cut and changed bytes never do harm) {
  start(log_of(three));
  auto bytes =
    encode(append_entries{2, 1, 1, 1, {change_to(three, 2), {2, {}, "abc"}}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CAF_CHECK(!engine.receive(now, peer, bytes.substr(0, size)));
  std::minstd_rand random{7};
  for (int i = 0; i < 2000; ++i) {
    auto mangled = bytes;
    mangled[random() % mangled.size()] ^= static_cast<char>(1 + random() % 255);
    auto other = make_engine();
    auto started = other.start(now, log_of(three));
    CAF_REQUIRE(started);
    auto result = other.receive(now, peer, mangled);
    if (!result)
      CAF_CHECK(describe(result.error()).code != errc::internal);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()

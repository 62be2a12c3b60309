#define CAF_SUITE verdicts

#include "tests/support/precompiled.hpp"

#include "discovery/membership/local_health.hpp"
#include "discovery/membership/verdicts.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const steady_time start{};
constexpr member_id leader{1};
constexpr member_id other{2};
constexpr member_id third{3};
constexpr member_id fourth{4};

/// A leader with some members that it has been leading for long.
struct fixture {
  cluster_state state;
  std::map<member_id, evidence> known;
  verdict_timers timers;
  std::uint32_t patience = 1;

  fixture() {
    add(leader, "node-1");
    add(other, "node-2");
  }

  void add(member_id id, std::string name) {
    auto& result = state.members[id];
    result.info.id = id;
    result.info.name = std::move(name);
    result.info.incarnation = 7;
    result.role = raft_role::voter;
    if (id != leader)
      known[id].link = {true, 7, start, {}, false};
  }

  void heard(member_id id, steady_time at) { known[id].heard = at; }

  /// The link ends, with a sign of life just before.
  void lose(member_id id, steady_time at, bool refused = false) {
    heard(id, at);
    known[id].link = {false, 7, start, "connection closed", refused};
  }

  void say(member_id by, reach found, steady_time at) {
    known[other].witnesses[by] = {found, at};
  }

  judgement judge(steady_time now, steady_time since = start) {
    return judge_members(state, known, {leader, now, since, patience}, timers);
  }

  /// The verdict that is due on `other`, if any.
  std::optional<verdict> due(steady_time now, steady_time since = start) {
    for (auto& given : judge(now, since).verdicts)
      if (given.node == other)
        return given.state;
    return std::nullopt;
  }

  std::string reason(steady_time now) {
    for (auto& given : judge(now).verdicts)
      if (given.node == other)
        return given.reason;
    return {};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(verdict_tests, fixture)

CAF_TEST(a member that is heard of needs no verdict) {
  heard(other, start + 10s);
  CAF_CHECK(judge(start + 10s + 900ms).verdicts.empty());
  CAF_CHECK(judge(start + 10s + 900ms).doubtful.empty());
}

CAF_TEST(silence on a standing link makes a suspect) {
  heard(other, start + 10s);
  CAF_CHECK(due(start + 11s) == verdict::suspect);
  CAF_CHECK_EQUAL(judge(start + 11s).doubtful.size(), 1u);
  CAF_CHECK_EQUAL(reason(start + 11s), "no sign of life");
}

CAF_TEST(a lost link makes a suspect at once and a dead member after silence) {
  heard(other, start + 10s);
  lose(other, start + 10s);
  CAF_CHECK(due(start + 10s) == verdict::suspect);
  state.members[other].state = verdict::suspect;
  CAF_CHECK(!due(start + 10s + 1499ms));
  CAF_CHECK(due(start + 10s + 1500ms) == verdict::down);
}

CAF_TEST(that a silent link ends is no sign of life) {
  lose(other, start + 10s);
  heard(other, start + 9s);
  state.members[other].state = verdict::suspect;
  CAF_CHECK(due(start + 10s + 500ms) == verdict::down);
}

CAF_TEST(a refused connection needs a second observer where there is one) {
  add(third, "node-3");
  heard(third, start + 10s);
  lose(other, start + 10s, true);
  CAF_CHECK(due(start + 10s) == verdict::suspect);
  say(third, reach::silent, start + 10s);
  CAF_CHECK(due(start + 10s) == verdict::suspect);
  say(third, reach::refused, start + 10s);
  CAF_CHECK(due(start + 10s) == verdict::down);
  CAF_CHECK_EQUAL(reason(start + 10s),
                  "connection closed; new connections are refused; node-3 does "
                  "not reach it either");
}

CAF_TEST(without anyone to ask a refused connection is proof enough) {
  lose(other, start + 10s, true);
  CAF_CHECK(due(start + 10s) == verdict::down);
}

CAF_TEST(whom another member reaches is not given up soon) {
  add(third, "node-3");
  heard(third, start + 12s);
  lose(other, start + 10s);
  say(third, reach::reachable, start + 10s + 100ms);
  state.members[other].state = verdict::suspect;
  CAF_CHECK(!due(start + 12s));
  CAF_CHECK(!due(start + 10s + 4499ms));
  heard(third, start + 14s);
  CAF_CHECK(due(start + 10s + 4500ms) == verdict::down);
  CAF_CHECK_EQUAL(reason(start + 10s + 4500ms),
                  "connection closed; silent for 4500 ms; node-3 reaches it, "
                  "the leader does not");
}

CAF_TEST(each confirmation shortens the wait) {
  add(third, "node-3");
  add(fourth, "node-4");
  for (auto id : {third, fourth})
    heard(id, start + 14s);
  lose(other, start + 10s);
  state.members[other].state = verdict::suspect;
  // Nobody has answered yet.
  CAF_CHECK(!due(start + 10s + 4499ms));
  // One of two: log 2 / log 3 of the way from 4500 to 1500 ms.
  say(third, reach::silent, start + 11s);
  CAF_CHECK(!due(start + 10s + 2600ms));
  CAF_CHECK(due(start + 10s + 2610ms) == verdict::down);
  say(fourth, reach::silent, start + 11s);
  CAF_CHECK(due(start + 10s + 1500ms) == verdict::down);
}

CAF_TEST(what was said before the contact ended does not count) {
  add(third, "node-3");
  heard(third, start + 12s);
  say(third, reach::reachable, start + 9s);
  lose(other, start + 10s);
  state.members[other].state = verdict::suspect;
  say(third, reach::silent, start + 9s);
  CAF_CHECK(!due(start + 10s + 1500ms));
  // But the other may have noticed a little earlier.
  say(third, reach::silent, start + 9800ms);
  CAF_CHECK(due(start + 10s + 1500ms) == verdict::down);
}

CAF_TEST(a slow observer is patient with others) {
  patience = 3;
  heard(other, start + 10s);
  CAF_CHECK(!due(start + 12s));
  CAF_CHECK(due(start + 13s) == verdict::suspect);
  state.members[other].state = verdict::suspect;
  CAF_CHECK(!due(start + 14s));
  CAF_CHECK(due(start + 14500ms) == verdict::down);
}

CAF_TEST(a suspect that is heard of again is alive) {
  state.members[other].state = verdict::suspect;
  heard(other, start + 10s);
  CAF_CHECK(due(start + 10s + 1ms) == verdict::alive);
}

CAF_TEST(a leader that was a suspect before is alive) {
  state.members[leader].state = verdict::suspect;
  auto found = judge(start + 100ms);
  CAF_REQUIRE_EQUAL(found.verdicts.size(), 1u);
  CAF_CHECK(found.verdicts[0].node == leader);
  CAF_CHECK(found.verdicts[0].state == verdict::alive);
  state.members[leader].state = verdict::alive;
  CAF_CHECK(judge(start + 100ms).verdicts.empty());
}

CAF_TEST(a link to another incarnation proves nothing) {
  known[other].link = {true, 6, start, {}, false};
  CAF_CHECK(due(start + 2s) == verdict::down);
}

CAF_TEST(a new leader gives everyone the time to connect) {
  known.clear();
  CAF_CHECK(!due(start + 50s + 900ms, start + 50s));
  CAF_CHECK(due(start + 51s, start + 50s) == verdict::suspect);
  CAF_CHECK(due(start + 51500ms, start + 50s) == verdict::down);
}

CAF_TEST(who is down or left is not judged again) {
  lose(other, start);
  for (auto state_now : {verdict::left, verdict::down}) {
    state.members[other].state = state_now;
    CAF_CHECK(judge(start + 1h).verdicts.empty());
  }
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(an observer that is served late becomes patient and recovers) {
  local_health health;
  auto now = start;
  auto tick = [&](std::chrono::milliseconds after) {
    now += after;
    health.ticked(now, 200ms);
  };
  tick(200ms);
  tick(210ms);
  CAF_CHECK_EQUAL(health.patience(), 1u);
  tick(500ms);
  tick(500ms);
  CAF_CHECK_EQUAL(health.patience(), 3u);
  tick(200ms);
  CAF_CHECK_EQUAL(health.patience(), 2u);
  for (int i = 0; i < 20; ++i)
    tick(1s);
  CAF_CHECK_EQUAL(health.patience(), 9u);
}

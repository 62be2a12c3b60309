#define CAF_SUITE verdicts

#include "discovery/membership/verdicts.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const steady_time start{};
constexpr member_id leader{1};
constexpr member_id other{2};

struct fixture {
  cluster_state state;
  std::map<member_id, link_view> links;
  verdict_timers timers;

  fixture() {
    add(1, verdict::alive, raft_role::voter);
    add(2, verdict::alive, raft_role::voter);
  }

  member& add(std::uint64_t id, verdict given, raft_role role) {
    auto& result = state.members[member_id{id}];
    result.info.id = member_id{id};
    result.info.incarnation = 7;
    result.state = given;
    result.role = role;
    return result;
  }

  void link(bool connected, steady_time since, std::uint64_t incarnation = 7) {
    links[other] = {connected, incarnation, since, "connection closed", false};
  }

  std::vector<set_verdict> judge(steady_time now, steady_time since = start) {
    return judge_members(state, leader, links, now, since, timers);
  }

  std::optional<set_raft_role> plan(std::uint32_t max_voters = 5,
                                    unix_ms now = 0) {
    return plan_role_change(state, max_voters, now, timers);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(verdict_tests, fixture)

CAF_TEST(a connected member needs no verdict) {
  link(true, start);
  CAF_CHECK(judge(start + 1h).empty());
}

CAF_TEST(a lost link makes a suspect and then a dead member) {
  link(false, start + 10s);
  auto given = judge(start + 10s);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0].state == verdict::suspect);
  CAF_CHECK_EQUAL(given[0].incarnation, 7u);
  CAF_CHECK(given[0].reported_by == leader);
  state.members[other].state = verdict::suspect;
  CAF_CHECK(judge(start + 10s + 999ms).empty());
  given = judge(start + 11s);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0].state == verdict::down);
}

CAF_TEST(a refused connection is proof enough) {
  link(false, start + 10s);
  links[other].refused = true;
  auto given = judge(start + 10s);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0].state == verdict::down);
  CAF_CHECK_EQUAL(given[0].reason,
                  "connection closed; new connections are refused");
}

CAF_TEST(a suspect that is back is alive) {
  state.members[other].state = verdict::suspect;
  link(true, start);
  auto given = judge(start + 1s);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0].state == verdict::alive);
}

CAF_TEST(a link to another incarnation proves nothing) {
  link(true, start, 6);
  auto given = judge(start + 2s);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0].state == verdict::down);
}

CAF_TEST(a new leader gives everyone the time to connect) {
  CAF_CHECK(judge(start + 50s + 900ms, start + 50s).empty());
  auto given = judge(start + 51s, start + 50s);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0].state == verdict::down);
}

CAF_TEST(who is down or left is not judged again) {
  link(false, start);
  state.members[other].state = verdict::left;
  CAF_CHECK(judge(start + 1h).empty());
  state.members[other].state = verdict::down;
  CAF_CHECK(judge(start + 1h).empty());
}

CAF_TEST(long gone members without a role are forgotten) {
  auto& gone = add(3, verdict::down, raft_role::none);
  gone.since = 1000;
  auto limit = timers.forget_after.count();
  CAF_CHECK(forgettable_members(state, 999 + limit, timers).empty());
  auto found = forgettable_members(state, 1000 + limit, timers);
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(found[0].node == member_id{3});
}

CAF_TEST(a settled cluster plans nothing) {
  CAF_CHECK(!plan());
}

CAF_TEST(a newcomer becomes standby and then voter) {
  auto& newcomer = add(3, verdict::alive, raft_role::none);
  auto change = plan();
  CAF_REQUIRE(change);
  CAF_CHECK(change->node == member_id{3});
  CAF_CHECK(change->role == raft_role::standby);
  newcomer.role = raft_role::standby;
  change = plan();
  CAF_REQUIRE(change);
  CAF_CHECK(change->role == raft_role::voter);
  CAF_CHECK(!plan(2));
}

CAF_TEST(who left is taken out) {
  state.members[other].state = verdict::left;
  auto change = plan();
  CAF_REQUIRE(change);
  CAF_CHECK(change->node == other);
  CAF_CHECK(change->role == raft_role::none);
}

CAF_TEST(a dead voter keeps its seat until a standby can take it) {
  state.members[other].state = verdict::down;
  CAF_CHECK(!plan(2));
  add(3, verdict::alive, raft_role::standby);
  auto change = plan(2);
  CAF_REQUIRE(change);
  CAF_CHECK(change->node == other);
  CAF_CHECK(change->role == raft_role::standby);
}

CAF_TEST(a voter that is down for too long is taken out) {
  state.members[other].state = verdict::down;
  auto change = plan(5, timers.forget_after.count());
  CAF_REQUIRE(change);
  CAF_CHECK(change->node == other);
  CAF_CHECK(change->role == raft_role::none);
}

CAF_TEST_FIXTURE_SCOPE_END()

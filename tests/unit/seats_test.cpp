#define CAF_SUITE seats

#include "tests/support/precompiled.hpp"

#include "discovery/membership/seats.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct fixture {
  cluster_state state;
  absences gone;
  verdict_timers timers;

  /// Members 1 to 3 are live voters.
  fixture() {
    for (std::uint64_t id : {1, 2, 3})
      add(id, verdict::alive, raft_role::voter);
  }

  member& add(std::uint64_t id, verdict given, raft_role role) {
    auto& result = state.members[member_id{id}];
    result.info.id = member_id{id};
    result.state = given;
    result.role = role;
    return result;
  }

  member& at(std::uint64_t id) { return state.members[member_id{id}]; }

  std::optional<set_raft_role> plan(std::uint32_t max_voters = 5) {
    return plan_role_change(state, max_voters, gone, timers);
  }

  bool plans(std::uint64_t id, raft_role role, std::uint32_t max_voters = 5) {
    auto change = plan(max_voters);
    return change && change->node == member_id{id} && change->role == role;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(seats_tests, fixture)

CAF_TEST(a settled cluster plans nothing) {
  CAF_CHECK(!plan());
}

CAF_TEST(a newcomer becomes standby and then voter) {
  add(4, verdict::alive, raft_role::none);
  CAF_CHECK(plans(4, raft_role::standby));
  at(4).role = raft_role::standby;
  CAF_CHECK(plans(4, raft_role::voter));
  CAF_CHECK(!plan(3));
}

CAF_TEST(who left a large cluster loses the seat) {
  add(4, verdict::left, raft_role::voter);
  CAF_CHECK(loses_seat(state, at(4)));
  CAF_CHECK(plans(4, raft_role::none));
}

CAF_TEST(the last three voters keep their seats when they are stopped) {
  at(3).state = verdict::left;
  CAF_CHECK(!loses_seat(state, at(3)));
  CAF_CHECK(!plan());
}

CAF_TEST(who was dismissed loses the seat in any cluster) {
  at(3).state = verdict::left;
  at(3).dismissed = true;
  CAF_CHECK(plans(3, raft_role::none));
}

CAF_TEST(a standby that left is taken out) {
  add(4, verdict::left, raft_role::standby);
  CAF_CHECK(plans(4, raft_role::none));
}

CAF_TEST(a dead voter keeps its seat until a standby can take it) {
  at(3).state = verdict::down;
  CAF_CHECK(!plan(3));
  add(4, verdict::alive, raft_role::standby);
  CAF_CHECK(plans(3, raft_role::standby, 3));
}

CAF_TEST(a standby fills up the voters before a dead one makes room) {
  at(3).state = verdict::down;
  add(4, verdict::alive, raft_role::standby);
  CAF_CHECK(plans(4, raft_role::voter));
  at(4).role = raft_role::voter;
  CAF_CHECK(!plan());
  // Three live voters do without it once it stays away.
  gone[member_id{3}] = 30s;
  CAF_CHECK(plans(3, raft_role::standby));
}

CAF_TEST(two live voters do not do without the third) {
  at(3).state = verdict::down;
  gone[member_id{3}] = 1h;
  CAF_CHECK(!plan());
}

CAF_TEST(a voter that is down for too long is taken out) {
  at(3).state = verdict::down;
  gone[member_id{3}] = timers.forget_after;
  CAF_CHECK(plans(3, raft_role::none));
}

CAF_TEST(long gone members without a seat are forgotten) {
  add(4, verdict::down, raft_role::none);
  gone[member_id{4}] = timers.forget_after - 1ms;
  CAF_CHECK(forgettable_members(state, gone, timers).empty());
  gone[member_id{4}] = timers.forget_after;
  auto found = forgettable_members(state, gone, timers);
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(found[0].node == member_id{4});
}

CAF_TEST(a member that was removed is remembered for good) {
  auto& removed = add(4, verdict::left, raft_role::none);
  removed.info.name = "four";
  removed.dismissed = true;
  gone[member_id{4}] = 100 * timers.forget_after;
  CAF_CHECK(forgettable_members(state, gone, timers).empty());
  // Unless another one has its name, so that it can't come back.
  auto& other = add(5, verdict::alive, raft_role::voter);
  other.info.name = "four";
  CAF_CHECK_EQUAL(forgettable_members(state, gone, timers).size(), 1u);
  other.dismissed = true;
  CAF_CHECK(forgettable_members(state, gone, timers).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE election

#include "engine_group.hpp"

using namespace troupe;

namespace {

const raft_engine_config defaults;
const raft_time heartbeat = defaults.heartbeat;
const raft_time timeout = defaults.election_timeout;

/// A group with a leader whose followers all heard from it lately.
engine_group settled(std::size_t size) {
  engine_group group{size};
  group.run(4 * timeout);
  CAF_REQUIRE(group.leader().has_value());
  return group;
}

/// How long the group is without a leader when it loses `lost` of its nodes,
/// the leader among them.
raft_time gap_after_losing(engine_group& group, std::size_t lost) {
  auto leader = *group.leader();
  group.crash(leader);
  for (std::size_t i = 0; lost > 1; ++i)
    if (i != leader) {
      group.crash(i);
      --lost;
    }
  auto begin = group.now;
  while (!group.leader() && group.now < begin + 10 * timeout)
    group.run(raft_time{1});
  return group.now - begin;
}

} // namespace

CAF_TEST(a leader that dies is replaced after one election timeout) {
  for (auto later : {0, 10, 20, 30, 40}) {
    auto group = settled(3);
    group.run(raft_time{later});
    auto gap = gap_after_losing(group, 1);
    CAF_CHECK_GREATER_OR_EQUAL(gap, timeout - heartbeat);
    CAF_CHECK_LESS_OR_EQUAL(gap, timeout + timeout / 10);
  }
}

CAF_TEST(a leader that dies with those next in line is replaced soon too) {
  auto group = settled(5);
  auto gap = gap_after_losing(group, 2);
  CAF_CHECK_LESS_OR_EQUAL(gap, timeout * 3 / 2);
}

CAF_TEST(a follower that heard from the leader lately elects nobody else) {
  auto group = settled(3);
  auto leader = *group.leader();
  auto deaf = (leader + 1) % 3;
  auto loyal = (leader + 2) % 3;
  // Heartbeats reach only one of the followers; the other asks for its vote.
  for (auto end = group.now + 6 * timeout; group.now < end;) {
    for (std::size_t i = 0; i < 3; ++i)
      if (group.now >= group.engine(i).next_timeout())
        group.carry_out(i, group.engine(i).timeout(group.now));
    std::deque<engine_group::message> heard;
    for (auto& x : group.network)
      if (x.from != leader || x.to != deaf)
        heard.push_back(std::move(x));
    group.network = std::move(heard);
    group.exchange({leader, deaf, loyal});
    group.now += raft_time{1};
  }
  CAF_CHECK(group.engine(leader).leads());
  CAF_CHECK_EQUAL(group.engine(leader).term(), group.engine(loyal).term());
}

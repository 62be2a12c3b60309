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

namespace {

/// The votes that `from` asks for, and forgets the rest of the network.
std::vector<request_vote> take_votes_asked(engine_group& group,
                                           std::size_t from) {
  std::vector<request_vote> result;
  for (auto& x : std::exchange(group.network, {}))
    if (auto* vote = std::get_if<request_vote>(&x.what); vote && x.from == from)
      result.push_back(*vote);
  return result;
}

/// The leader hands over to the next node, which is cut off as soon as it has
/// heard of that. Returns which one that is.
std::size_t lose_transferee(engine_group& group) {
  auto leader = *group.leader();
  auto heir = (leader + 1) % group.nodes.size();
  group.carry_out(leader, group.engine(leader).transfer(
                            group.now, engine_group::id_of(heir)));
  for (auto& x : std::exchange(group.network, {}))
    if (x.to == heir)
      group.receive(x);
  return heir;
}

void let_time_out(engine_group& group, std::size_t i) {
  group.now = std::max(group.now, group.engine(i).next_timeout());
  group.carry_out(i, group.engine(i).timeout(group.now));
}

} // namespace

CAF_TEST(a leadership transfer lets its heir disturb once) {
  auto group = settled(3);
  auto heir = lose_transferee(group);
  auto term = group.engine(heir).term();
  auto asked = take_votes_asked(group, heir);
  CAF_REQUIRE_EQUAL(asked.size(), 2u);
  for (auto& vote : asked)
    CAF_CHECK(vote.disrupt_leader && !vote.pre_vote && vote.term == term);
  for (int tries = 0; tries < 3; ++tries) {
    let_time_out(group, heir);
    asked = take_votes_asked(group, heir);
    CAF_REQUIRE_EQUAL(asked.size(), 2u);
    for (auto& vote : asked)
      CAF_CHECK(!vote.disrupt_leader && vote.pre_vote);
    CAF_CHECK_EQUAL(group.engine(heir).term(), term);
  }
}

CAF_TEST(an heir that comes back takes no lease away) {
  auto group = settled(3);
  auto old = *group.leader();
  auto heir = lose_transferee(group);
  auto third = 3 - old - heir;
  group.network.clear();
  // The other two go on without it; the old leader gave its lease away.
  CAF_CHECK(!group.engine(old).lease(group.now));
  for (int round = 0; round < 6 && group.engine(old).leads(); ++round) {
    group.now += 2 * timeout;
    group.carry_out(old, group.engine(old).timeout(group.now));
    group.network.clear();
  }
  CAF_REQUIRE(group.elect(third, {old}));
  for (int round = 0; round < 20; ++round) {
    group.now += heartbeat;
    group.carry_out(third, group.engine(third).timeout(group.now));
    group.exchange({old, third});
  }
  auto held = group.engine(third).lease(group.now);
  CAF_REQUIRE(held);
  // While its lease lasts nobody votes for the heir, whose term it is behind.
  while (group.engine(heir).next_timeout() < held->end) {
    let_time_out(group, heir);
    group.exchange({old, heir});
    CAF_CHECK(!group.engine(heir).leads());
  }
  CAF_CHECK_EQUAL(group.engine(old).term(), group.engine(third).term());
}

CAF_TEST(a candidate that was not elected asks beforehand the next time) {
  auto group = settled(3);
  auto leader = *group.leader();
  auto candidate = (leader + 1) % 3;
  auto voter = (leader + 2) % 3;
  group.crash(leader);
  let_time_out(group, candidate);
  group.now += timeout;
  // It is let ahead, and nobody hears the rest.
  while (!group.network.empty()
         && std::get_if<request_vote>(&group.network.front().what) != nullptr
         && std::get<request_vote>(group.network.front().what).pre_vote) {
    auto next = group.network.front();
    group.network.pop_front();
    group.receive(next);
  }
  for (auto& x : std::exchange(group.network, {}))
    if (x.from == voter)
      group.receive(x);
  auto term = group.engine(candidate).term();
  auto asked = take_votes_asked(group, candidate);
  CAF_REQUIRE_EQUAL(asked.size(), 2u);
  CAF_CHECK(!asked[0].pre_vote);
  for (int tries = 0; tries < 3; ++tries) {
    let_time_out(group, candidate);
    asked = take_votes_asked(group, candidate);
    CAF_REQUIRE_EQUAL(asked.size(), 2u);
    CAF_CHECK(asked[0].pre_vote);
    CAF_CHECK_EQUAL(group.engine(candidate).term(), term);
  }
}

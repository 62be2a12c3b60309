#define CAF_SUITE replication

#include "engine_group.hpp"

using namespace troupe;

namespace {

const raft_time heartbeat = raft_engine_config{}.heartbeat;

/// Whom a new entry is sent to as soon as it is there.
std::set<std::size_t> sent_at_once(engine_group& group, std::size_t leader) {
  group.submit(leader, "x");
  std::set<std::size_t> result;
  for (auto& x : group.network)
    if (auto* append = std::get_if<append_entries>(&x.what))
      if (!append->entries.empty())
        result.insert(x.to);
  return result;
}

} // namespace

CAF_TEST(
  entries are sent at once by an idle leader whose heartbeats are out of step) {
  engine_group group{3};
  group.run(raft_time{2000});
  CAF_REQUIRE(group.leader().has_value());
  auto leader = *group.leader();
  auto restarted = (leader + 1) % 3;
  auto other = (leader + 2) % 3;
  // The leader probes one that comes back: a new entry goes to it with the next
  // heartbeat, while the other one gets it earlier.
  group.crash(restarted);
  group.run(10 * heartbeat);
  group.start(restarted);
  group.run(10 * heartbeat + heartbeat / 2);
  CAF_REQUIRE(group.leader() == leader);
  CAF_CHECK(sent_at_once(group, leader).contains(other));
  group.run(10 * heartbeat);
  for (auto later = raft_time{0}; later < heartbeat; later += raft_time{5}) {
    CAF_CHECK_EQUAL(sent_at_once(group, leader),
                    (std::set<std::size_t>{restarted, other}));
    group.run(10 * heartbeat + raft_time{5});
  }
}

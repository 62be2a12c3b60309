#define CAF_SUITE early_change

#include "tests/cluster/engine_group.hpp"

using namespace troupe;

namespace {

const raft_time heartbeat = raft_engine_config{}.heartbeat;

/// Ongaro's correction of 2015 to single-server changes ("bug in single-server
/// membership changes", raft-dev): an old leader has appended the configuration
/// D and lost touch. The next leader may change the configuration only once it
/// has committed an entry of its own term, because until then a quorum of D may
/// still elect somebody who never hears of that change. It takes an even number
/// of voters.
struct fixture : engine_group {
  static constexpr std::size_t s1 = 0, s2 = 1, s3 = 2, s4 = 3, s5 = 4;
  using group = std::set<std::size_t>;

  static raft_configuration_servers servers(const group& all,
                                            const group& voters) {
    raft_configuration_servers result;
    for (auto i : all)
      result.push_back(
        {id_of(i), voters.contains(i) ? raft_role::voter : raft_role::standby});
    return result;
  }

  /// Four voters, of whom S1 leads, and S5 as stand-by. All logs are equal, and
  /// each node knows that all of it is committed.
  fixture() : engine_group(5) {
    for (std::size_t i = 0; i < 5; ++i) {
      nodes[i].disk = {};
      nodes[i].disk.term = 1;
      nodes[i].disk.entries.push_back(
        {1, entry_kind::change,
         encode_configuration(
           servers({s1, s2, s3, s4, s5}, {s1, s2, s3, s4}))});
      start(i);
    }
    CAF_REQUIRE(elect(s1, {s2, s3, s4}));
    beat(s1, {s1, s2, s3, s4, s5});
    for (std::size_t i = 0; i < 5; ++i)
      CAF_REQUIRE_EQUAL(engine(i).commit_index(), engine(s1).last_index());
  }

  /// The leader's timer runs out a few times; messages pass among `who` only.
  void beat(std::size_t leader, const group& who) {
    exchange(who);
    for (int round = 0; round < 4; ++round) {
      now += heartbeat;
      carry_out(leader, engine(leader).timeout(now));
      exchange(who);
    }
  }

  /// S1 makes S5 a voter, and nobody but S5 hears of it.
  void promote_unheard() {
    carry_out(s1, engine(s1).submit_configuration(
                    now, servers({s1, s2, s3, s4, s5}, {s1, s2, s3, s4, s5})));
    exchange({s1, s5});
    network.clear();
    CAF_REQUIRE_GREATER(engine(s5).last_index(), engine(s2).last_index());
  }

  /// Hears from nobody for so long.
  void step_down(std::size_t leader) {
    for (int round = 0; round < 5 && engine(leader).leads(); ++round) {
      now += raft_time{700};
      carry_out(leader, engine(leader).timeout(now));
      network.clear();
    }
    CAF_REQUIRE(!engine(leader).leads());
  }

  caf::expected<raft_update> remove_s1(std::size_t leader) {
    return engine(leader).submit_configuration(
      now, servers({s2, s3, s4, s5}, {s2, s3, s4}));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(early_change_tests, fixture)

CAF_TEST(a new leader changes nothing before it has committed in its term) {
  promote_unheard();
  CAF_REQUIRE(elect(s2, {s3, s4}));
  auto early = remove_s1(s2);
  CAF_REQUIRE(!early);
  CAF_CHECK(describe(early.error()).code == errc::conflict);
  // S3 alone is no majority of four.
  beat(s2, {s2, s3});
  CAF_CHECK(!remove_s1(s2));
  beat(s2, {s2, s3, s4});
  auto timely = remove_s1(s2);
  CAF_REQUIRE(timely);
  carry_out(s2, std::move(timely));
  beat(s2, {s2, s3, s4});
  submit(s2, "acknowledged");
  beat(s2, {s2, s3});
  CAF_CHECK_EQUAL(engine(s2).commit_index(), engine(s2).last_index());
  // By then a quorum of D has something newer than S1's log.
  step_down(s1);
  CAF_CHECK(!elect(s1, {s4, s5}));
}

CAF_TEST(a leader whose whole log is committed appends an entry of its term) {
  CAF_REQUIRE(elect(s2, {s3, s4}));
  auto* last = engine(s2).entry(engine(s2).last_index());
  CAF_REQUIRE(last);
  CAF_CHECK_EQUAL(last->term, engine(s2).term());
  CAF_CHECK(last->kind == entry_kind::barrier);
  CAF_CHECK_EQUAL(nodes[s2].disk.entries.size(), engine(s2).last_index());
  beat(s2, {s2, s3, s4});
  CAF_CHECK_EQUAL(engine(s2).commit_index(), engine(s2).last_index());
}

CAF_TEST(an unheard change gives way to the log of the next leader) {
  promote_unheard();
  CAF_REQUIRE(elect(s2, {s3, s4}));
  beat(s2, {s2, s3, s4});
  for (int tries = 0; tries < 5; ++tries)
    beat(s2, {s1, s2, s3, s4, s5});
  for (std::size_t i = 0; i < 5; ++i) {
    CAF_CHECK_EQUAL(engine(i).commit_index(), engine(s2).last_index());
    CAF_CHECK(engine(i).configuration()
              == servers({s1, s2, s3, s4, s5}, {s1, s2, s3, s4}));
    CAF_CHECK(!engine(i).changing());
  }
}

CAF_TEST_FIXTURE_SCOPE_END()

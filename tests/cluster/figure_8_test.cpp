#define CAF_SUITE figure_8

#include "tests/cluster/engine_group.hpp"

using namespace troupe;

namespace {

/// Figure 8 of the Raft paper (Figure 3.7 of the dissertation) up to its step
/// (c): an entry of term 2 is on a majority, though not committed, while S5
/// holds another one of term 3 at the same index.
struct fixture : engine_group {
  static constexpr std::size_t s1 = 0, s2 = 1, s3 = 2, s4 = 3, s5 = 4;
  std::uint64_t contested = 0;

  fixture() : engine_group(5) {
    // (a) S1 leads and brings its entry to S2 only.
    CAF_REQUIRE(elect(s1, {s2, s3, s4}));
    exchange({s1, s2, s3, s4, s5});
    submit(s1, "of S1");
    contested = engine(s1).last_index();
    exchange({s1, s2});
    crash(s1);
    // (b) S5 leads and writes another entry there, alone.
    CAF_REQUIRE(elect(s5, {s3, s4}));
    network.clear();
    submit(s5, "of S5");
    network.clear();
    CAF_REQUIRE(engine(s5).last_index() >= contested);
    crash(s5);
    // (c) S1 leads again. Its old entry reaches S3, nothing of its own term
    // does.
    start(s1);
    CAF_REQUIRE(elect(s1, {s2, s3, s4}));
    bring_old_entry_to(s3);
    CAF_REQUIRE(has(s1, "of S1") && has(s2, "of S1") && has(s3, "of S1"));
  }

  bool has(std::size_t i, const std::string& bytes) const {
    auto& entries = nodes[i].disk.entries;
    return std::any_of(entries.begin(), entries.end(),
                       [&](auto& x) { return x.bytes == bytes; });
  }

  void bring_old_entry_to(std::size_t whom) {
    for (int round = 0; round < 10 && !has(whom, "of S1"); ++round) {
      if (network.empty()) {
        now += raft_time{50};
        carry_out(s1, engine(s1).timeout(now));
      }
      auto pending = std::exchange(network, {});
      for (auto& x : pending) {
        auto* append = std::get_if<append_entries>(&x.what);
        if (append != nullptr)
          while (append->prev_index + append->entries.size() > contested)
            append->entries.pop_back();
        if ((x.from == s1 && x.to == whom) || (x.from == whom && x.to == s1))
          receive(x);
      }
    }
    network.clear();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(figure_8_tests, fixture)

CAF_TEST(an entry of an older term is not committed by counting replicas) {
  CAF_CHECK_LESS(engine(s1).commit_index(), contested);
  // (d) S1 crashes; S5 may win, and its entry overwrites the other.
  crash(s1);
  start(s5);
  CAF_REQUIRE(elect(s5, {s2, s3, s4}));
  exchange({s2, s3, s4, s5});
  for (int round = 0; round < 10; ++round) {
    now += raft_time{50};
    carry_out(s5, engine(s5).timeout(now));
    exchange({s2, s3, s4, s5});
  }
  CAF_CHECK_GREATER(engine(s5).commit_index(), contested);
  for (auto i : {s2, s3, s4}) {
    CAF_CHECK(!has(i, "of S1"));
    CAF_CHECK_EQUAL(engine(i).last_index(), engine(s5).last_index());
  }
}

CAF_TEST(an entry of its own term on a majority commits the older one too) {
  // (e) S1 replicates something of its term before it crashes.
  for (int round = 0; round < 10; ++round) {
    now += raft_time{50};
    carry_out(s1, engine(s1).timeout(now));
    exchange({s1, s2, s3});
  }
  CAF_CHECK_GREATER(engine(s1).commit_index(), contested);
  crash(s1);
  start(s5);
  CAF_CHECK(!elect(s5, {s2, s3, s4}));
}

CAF_TEST_FIXTURE_SCOPE_END()

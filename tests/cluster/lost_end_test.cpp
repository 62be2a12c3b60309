#define CAF_SUITE lost_end

#include "tests/cluster/engine_group.hpp"

using namespace troupe;

namespace {

const raft_time timeout = raft_engine_config{}.election_timeout;

/// Three nodes, whose first one leads and has committed some entries. The disk
/// of one may be set back to what it was before.
struct fixture : engine_group {
  static constexpr std::size_t a = 0, b = 1, c = 2;
  log_contents earlier;

  fixture() : engine_group(3) {
    CAF_REQUIRE(elect(a, {b, c}));
    run(timeout);
    submit(a, "kept");
    run(timeout);
    earlier = nodes[b].disk;
  }

  /// Commits entries with the second node only; the third one hears that they
  /// are committed where `hears`.
  void commit_without_c(int count, bool hears) {
    for (int i = 0; i < count; ++i) {
      submit(a, "entry " + std::to_string(i));
      exchange({a, b});
    }
    for (int beats = 0; beats < 10; ++beats)
      pass_heartbeats(hears);
    CAF_REQUIRE_EQUAL(engine(a).commit_index(), engine(a).last_index());
    CAF_REQUIRE_EQUAL(engine(b).last_index(), engine(a).last_index());
    CAF_REQUIRE_LESS(engine(c).last_index(), engine(a).last_index());
  }

  /// What b held is gone, and it starts again.
  void set_back_b() {
    crash(b);
    nodes[b].disk = earlier;
    start(b);
  }

  std::size_t count_of(std::size_t i, const std::string& bytes) const {
    auto& entries = nodes[i].disk.entries;
    return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [&](auto& x) { return x.bytes == bytes; }));
  }

  /// Time passes; an error of an engine ends it, and its detail is kept.
  void run_with_ends(raft_time span) {
    for (auto end = now + span; now < end; now += raft_time{1}) {
      for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].engine && now >= engine(i).next_timeout())
          carry_out(i, engine(i).timeout(now));
      while (!network.empty()) {
        auto next = std::move(network.front());
        network.pop_front();
        if (!nodes[next.to].engine || !nodes[next.from].engine)
          continue;
        auto update =
          engine(next.to).receive(now, id_of(next.from), encode(next.what));
        if (update) {
          carry_out(next.to, std::move(update));
          continue;
        }
        ended[next.to] = describe(update.error());
        crash(next.to);
      }
    }
  }

  std::map<std::size_t, error_view> ended;

private:
  void pass_heartbeats(bool hears) {
    now += raft_time{50};
    carry_out(a, engine(a).timeout(now));
    std::deque<message> to_b;
    for (auto& x : std::exchange(network, {})) {
      auto* append = std::get_if<append_entries>(&x.what);
      if (x.to == b)
        to_b.push_back(std::move(x));
      else if (hears && append && append->entries.empty())
        receive(x);
    }
    network = std::move(to_b);
    exchange({a, b});
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(lost_end_tests, fixture)

CAF_TEST(a follower that lost its end gets it again) {
  commit_without_c(20, false);
  crash(c);
  set_back_b();
  run(4 * timeout);
  CAF_REQUIRE(engine(a).leads());
  CAF_CHECK_EQUAL(engine(b).last_index(), engine(a).last_index());
  CAF_CHECK_EQUAL(count_of(b, "entry 19"), 1u);
  // And counts again.
  submit(a, "more");
  run(timeout);
  CAF_CHECK_EQUAL(engine(a).commit_index(), engine(a).last_index());
  CAF_CHECK_EQUAL(count_of(b, "more"), 1u);
}

CAF_TEST(what it lost does not count for the quorum until it has it) {
  commit_without_c(20, false);
  crash(c);
  set_back_b();
  // It answers what it has, and gets nothing yet.
  for (int i = 0; i < 3; ++i) {
    now += raft_time{50};
    carry_out(a, engine(a).timeout(now));
    for (auto& x : std::exchange(network, {}))
      if (auto* append = std::get_if<append_entries>(&x.what)) {
        append->entries.clear();
        receive(x);
      }
    for (auto& x : std::exchange(network, {}))
      receive(x);
    network.clear();
  }
  CAF_CHECK(!engine(a).is_up_to_date(id_of(b)));
  CAF_CHECK_LESS(engine(b).last_index(), engine(b).owed());
}

CAF_TEST(a follower that lost its end elects nobody before it has it) {
  commit_without_c(20, false);
  set_back_b();
  // One heartbeat tells it what it had, and the leader is gone.
  for (int i = 0; i < 2; ++i) {
    now += raft_time{50};
    carry_out(a, engine(a).timeout(now));
    for (auto& x : std::exchange(network, {}))
      if (auto* append = std::get_if<append_entries>(&x.what);
          append && x.to == b) {
        append->entries.clear();
        receive(x);
      }
    network.clear();
  }
  crash(a);
  run(20 * timeout);
  CAF_CHECK(!leader());
  start(a);
  run(6 * timeout);
  CAF_REQUIRE(leader() == a);
  for (auto i : {b, c})
    CAF_CHECK_EQUAL(count_of(i, "entry 19"), 1u);
}

CAF_TEST(who knows of committed entries that it lacks elects nobody without) {
  commit_without_c(20, true);
  set_back_b();
  crash(a);
  run(20 * timeout);
  // C has less than was committed, and B even says that it never had it.
  CAF_CHECK(!leader());
  // Nor after a restart.
  crash(c);
  start(c);
  run(20 * timeout);
  start(a);
  run(6 * timeout);
  CAF_REQUIRE(leader() == a);
  for (auto i : {b, c})
    CAF_CHECK_EQUAL(count_of(i, "entry 19"), 1u);
}

CAF_TEST(a node whose committed entries are contradicted stops and says so) {
  commit_without_c(20, false);
  auto committed = engine(a).commit_index();
  // The leader knows it after a restart too.
  nodes[a].disk.commit = committed;
  crash(a);
  set_back_b();
  run(6 * timeout);
  CAF_REQUIRE(leader());
  submit(*leader(), "instead");
  run(timeout);
  start(a);
  run_with_ends(6 * timeout);
  CAF_REQUIRE_EQUAL(ended.size(), 1u);
  CAF_REQUIRE(ended.contains(a));
  CAF_CHECK(ended[a].code == errc::conflict);
  CAF_CHECK(ended[a].detail.find("is committed here with term")
            != std::string::npos);
  CAF_CHECK_EQUAL(count_of(a, "entry 19"), 1u);
  CAF_CHECK_EQUAL(count_of(a, "instead"), 0u);
}

CAF_TEST(a late answer of a follower is no loss) {
  // The leader hears late that the follower lacked an entry which it has by
  // now.
  submit(a, "one");
  auto first = std::exchange(network, {});
  now += raft_time{5};
  append_entries_result late{engine(a).term(),
                             engine(a).last_index(),
                             engine(a).last_index() - 1,
                             0,
                             0,
                             static_cast<std::uint64_t>(now.count())};
  now += raft_time{5};
  network = std::move(first);
  exchange({a, b});
  CAF_REQUIRE(engine(a).is_up_to_date(id_of(b)));
  receive({b, a, late});
  CAF_CHECK(engine(a).is_up_to_date(id_of(b)));
}

CAF_TEST_FIXTURE_SCOPE_END()

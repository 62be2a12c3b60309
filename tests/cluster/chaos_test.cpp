#define CAF_SUITE chaos

#include "tests/cluster/simulated_cluster.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// One seeded run: clients write through all nodes while links fail, messages
/// vanish and overtake each other, and nodes crash. Then everything heals, and
/// what was acknowledged has to be there, once.
class chaos_run : public simulated_cluster {
public:
  chaos_run(std::size_t size, std::uint32_t seed)
    : simulated_cluster(size, seed), random_(seed) {
    for (auto& x : nodes) {
      x.config.propose_deadline = 2000ms;
      // Every other seed lives on snapshots.
      x.config.snapshot_threshold = seed % 2 == 0 ? 20 : 8192;
      x.config.snapshot_trailing = 5;
      // And of those, every other one on snapshots in parts.
      x.config.max_message_bytes = seed % 4 == 0 ? 2000 : 1 << 20;
    }
  }

  void run() {
    form();
    invariant = [this] { check_leases(); };
    net.delay_max = 4ms;
    net.loss = 0.02;
    for (auto& x : nodes)
      x.disk->latency = std::chrono::milliseconds{random_() % 6};
    for (int step = 0; step < 30; ++step) {
      disturb();
      if (changes_seats_)
        change_a_seat();
      write();
      elapse(std::chrono::milliseconds{20 + random_() % 100});
      check_leaders();
    }
    recover();
    verify();
  }

  /// From now on the leader also gives and takes seats: two to all of the nodes
  /// vote, an even number of them as often as not.
  void change_seats() { changes_seats_ = true; }

  std::ptrdiff_t seats_changed() const {
    return std::count_if(seats_.begin(), seats_.end(), [](auto& change) {
      return change->has_value() && **change;
    });
  }

private:
  std::size_t any_node() { return random_() % nodes.size(); }

  /// Never more than a minority is down, so that there is progress to check;
  /// cuts may well take the quorum away.
  void disturb() {
    auto i = any_node();
    auto down =
      std::count_if(nodes.begin(), nodes.end(), [](auto& x) { return !x.up; });
    switch (random_() % 8) {
      case 0:
        if (static_cast<std::size_t>(down) < (nodes.size() - 1) / 2)
          crash(i);
        break;
      case 1:
        if (!nodes[i].up)
          start(i);
        break;
      case 2:
        restart(i);
        break;
      case 3:
        isolate(i);
        break;
      case 4:
        cut(i, any_node());
        break;
      case 5:
      case 6:
        heal();
        break;
      default:
        if (auto who = leader())
          hand_over(*who);
    }
  }

  /// Cuts the network in two.
  void split_anywhere() {
    std::set<std::size_t> halves[2];
    for (std::size_t i = 0; i < nodes.size(); ++i)
      halves[random_() % 2].insert(i);
    split(halves[0], halves[1]);
  }

  /// Whoever takes itself for the leader is asked, also one that is cut off.
  void change_a_seat() {
    if (random_() % 10 == 0)
      split_anywhere();
    auto at = any_node();
    auto whom = any_node();
    auto now = state(at);
    if (!nodes[at].up || now->leader != id_of(at))
      return;
    auto voters =
      std::count_if(now->members.begin(), now->members.end(),
                    [](auto& x) { return x.second.role == raft_role::voter; });
    auto votes = now->members.at(id_of(whom)).role == raft_role::voter;
    if (!votes || voters > 2)
      seats_.push_back(
        set_role(at, whom, votes ? raft_role::standby : raft_role::voter));
  }

  void hand_over(std::size_t i) {
    ask<done>(nodes[i].catalog, transfer_leadership{});
    handed_over_ |= lease_holder_ == i;
  }

  void write() {
    for (int n = 0; n < 4; ++n) {
      auto i = any_node();
      if (nodes[i].up)
        writes_.emplace_back(next_port_, propose_at(i, server_at(next_port_)));
      ++next_port_;
    }
  }

  /// At most one leader per term, ever.
  void check_leaders() {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      auto now = state(i);
      if (!nodes[i].up || now->leader == member_id::none)
        continue;
      auto known = leaders_.emplace(now->term, now->leader).first;
      CAF_REQUIRE(known->second == now->leader);
    }
  }

  /// Nobody leads before the lease of the leader before is over, which counts
  /// though that one has stepped down since: had it been paused, it would not
  /// know. Only who hands over gives the rest of its time away.
  void check_leases() {
    auto now = sys.clock().now();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!nodes[i].up || !nodes[i].leadership->held(now))
        continue;
      if (lease_holder_ != i)
        CAF_REQUIRE(handed_over_ || lease_end_ <= now);
      lease_holder_ = i;
      lease_end_ = nodes[i].leadership->until();
      handed_over_ = false;
      ++lease_held_ms_;
    }
  }

  void recover() {
    heal();
    net.loss = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (!nodes[i].up)
        start(i);
    auto who = await_leader();
    commit_at(who, server_at(1));
    // By now each write is answered, unless its node was killed.
    elapse(2500ms);
    CAF_REQUIRE(await_agreement());
  }

  void verify() {
    auto expected = ports(0);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      CAF_REQUIRE_EQUAL(ports(i), expected);
      CAF_REQUIRE(state(i)->events->back().id == state(0)->events->back().id);
    }
    std::size_t acknowledged = 0;
    for (auto& [port, result] : writes_) {
      if (!result->has_value() || !**result)
        continue;
      // Applied twice, it would conflict with itself.
      CAF_REQUIRE_EQUAL((***result).code, 0);
      CAF_REQUIRE(expected.contains(port));
      ++acknowledged;
    }
    CAF_REQUIRE_GREATER(acknowledged, writes_.size() / 4);
    CAF_REQUIRE_GREATER(lease_held_ms_, 500u);
  }

  std::minstd_rand random_;
  std::uint16_t next_port_ = 1000;
  std::vector<std::pair<std::uint16_t, outcome<apply_result>>> writes_;
  std::map<std::uint64_t, member_id> leaders_;
  std::size_t lease_held_ms_ = 0;
  std::size_t lease_holder_ = 0;
  lease::clock::time_point lease_end_;
  bool handed_over_ = false;
  bool changes_seats_ = false;
  std::vector<outcome<done>> seats_;
};

} // namespace

CAF_TEST(no acknowledged command is lost among three nodes) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    CAF_MESSAGE("seed " << seed);
    chaos_run{3, seed}.run();
  }
}

CAF_TEST(no acknowledged command is lost among five nodes) {
  for (std::uint32_t seed = 101; seed <= 110; ++seed) {
    CAF_MESSAGE("seed " << seed);
    chaos_run{5, seed}.run();
  }
}

CAF_TEST(no acknowledged command is lost while the number of voters changes) {
  std::ptrdiff_t changed = 0;
  for (std::uint32_t seed = 201; seed <= 230; ++seed) {
    CAF_MESSAGE("seed " << seed);
    chaos_run run{seed % 2 == 0 ? 4u : 5u, seed};
    run.change_seats();
    run.run();
    changed += run.seats_changed();
  }
  CAF_CHECK_GREATER(changed, 30);
}

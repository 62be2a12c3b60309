#define CAF_SUITE disk_trouble

#include "tests/cluster/simulated_cluster.hpp"

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;
using condition = memory_disk::condition;

// A disk that is full or hangs (docs/decisions/0011).

namespace {

struct fixture : simulated_cluster {
  explicit fixture(std::size_t size = 3) : simulated_cluster(size) {}

  std::string trouble(std::size_t i) const {
    return nodes[i].disk->watch->get().trouble;
  }

  bool has_event(std::size_t at, std::string_view part) const {
    auto events = state(at)->events;
    return std::any_of(events->begin(), events->end(), [&](auto& x) {
      return x.type == "storage" && x.message.find(part) != std::string::npos;
    });
  }

  std::uint64_t queued_bytes(std::size_t i) {
    auto status = ask<actor_status>(nodes[i].catalog, get_status{});
    CAF_REQUIRE(await([&] { return status->has_value(); }));
    return std::stoull((***status).details.at("log_queue_bytes"));
  }

  /// Waits until another node leads, which `by` has to know.
  std::size_t await_other_leader(std::size_t old, std::size_t by,
                                 std::chrono::milliseconds limit) {
    CAF_REQUIRE(await(
      [&] {
        auto known = state(by)->leader;
        return known != id_of(old) && known != member_id::none;
      },
      limit));
    auto leader = static_cast<std::size_t>(state(by)->leader) - 1;
    return leader;
  }

  /// The leader's disk gets into trouble and out of it.
  void check(condition what, std::chrono::milliseconds limit,
             std::string_view words) {
    form();
    commit_at(1, server_at(9000));
    auto victim = await_leader();
    auto other = (victim + 1) % 3;
    nodes[victim].disk->is = what;
    auto first = propose_at(other, server_at(9001));
    auto next = await_other_leader(victim, other, limit);
    CAF_CHECK(nodes[victim].leadership->until() == lease::clock::time_point{});
    CAF_CHECK(trouble(victim).find(words) != std::string::npos);
    // Nothing that was begun is lost, and it is told.
    CAF_REQUIRE(await([&] { return first->has_value(); }));
    CAF_CHECK(**first);
    for (std::uint16_t port = 9100; port < 9400; ++port)
      commit_at(next, server_at(port));
    CAF_CHECK(await([&] { return has_event(next, words); }));
    CAF_CHECK(ports(victim).contains(9000));
    // It does not run for leader, however long this takes.
    auto term = state(next)->term;
    elapse(20s);
    CAF_CHECK_EQUAL(state(next)->term, term);

    nodes[victim].disk->is = condition::well;
    CAF_REQUIRE(await([&] { return trouble(victim).empty(); }, 2s));
    CAF_REQUIRE(await_agreement());
    CAF_CHECK_EQUAL(ports(victim).size(), 302u);
    CAF_CHECK_EQUAL(state(next)->term, term);
    CAF_CHECK(await([&] { return has_event(victim, "is written again"); }));
    commit_at(victim, server_at(9500));
  }
};

struct single : fixture {
  single() : fixture(1) {}
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(disk_trouble_tests, fixture)

CAF_TEST(a leader whose disk is full hands over and comes back) {
  check(condition::full, 1s, "the disk is full");
}

CAF_TEST(a leader whose disk hangs hands over and comes back) {
  // Ten election timeouts, and those of an election.
  check(condition::hung, 4s, "does not answer");
}

CAF_TEST(a disk that hangs for less than that changes nothing) {
  form();
  auto victim = await_leader();
  nodes[victim].disk->is = condition::hung;
  auto term = state(victim)->term;
  auto result = propose_at(victim, server_at(9000));
  elapse(2900ms);
  CAF_CHECK(trouble(victim).empty());
  nodes[victim].disk->is = condition::well;
  elapse(500ms);
  CAF_CHECK_EQUAL(state(victim)->term, term);
  CAF_CHECK(state(victim)->leader == id_of(victim));
  CAF_CHECK(result->has_value() && **result);
}

CAF_TEST(where nobody can be handed to the leader falls silent) {
  form();
  auto victim = await_leader();
  // Its followers get nothing that a transfer needs but hear each other.
  net.filter = [&](std::size_t from, std::size_t, const std::string& bytes) {
    return from != victim || bytes.size() < 60;
  };
  nodes[victim].disk->is = condition::full;
  propose_at(victim, add_server{"demo", std::string(200, 'h'), 1, 1});
  auto next = await_other_leader(victim, (victim + 1) % 3, 3s);
  net.filter = nullptr;
  commit_at(next, server_at(9000));
}

CAF_TEST(what waits for a disk is bounded) {
  form();
  auto victim = await_leader();
  nodes[victim].disk->is = condition::hung;
  auto follower = (victim + 1) % 3;
  std::vector<outcome<apply_result>> results;
  // 40 MB within the time in which a hang passes for a slow write.
  for (int i = 0; i < 400; ++i) {
    results.push_back(propose_at(follower, put_key{"key-" + std::to_string(i),
                                                   std::string(100'000, 'x')}));
    elapse(2ms);
  }
  elapse(1s);
  auto queued = queued_bytes(victim);
  CAF_CHECK_GREATER(queued, 10u << 20);
  CAF_CHECK_LESS(queued, 20u << 20);
}

CAF_TEST(a follower whose disk hangs says so and holds up nobody) {
  form();
  auto leader = await_leader();
  auto victim = (leader + 1) % 3;
  nodes[victim].disk->is = condition::hung;
  commit_at(leader, server_at(9000));
  CAF_CHECK(await([&] { return !trouble(victim).empty(); }, 4s));
  CAF_CHECK(await([&] { return has_event(leader, "does not answer"); }));
  CAF_CHECK(state(leader)->leader == id_of(leader));
  // Changes are still made through it, and it shows what it had.
  commit_at(victim, server_at(9001));
  CAF_CHECK(ports(leader).contains(9001));
  CAF_CHECK(!ports(victim).contains(9001));
  // A follower that confirms nothing is not sent more and more.
  for (int i = 0; i < 1000; ++i)
    commit_at(leader, put_key{"key-" + std::to_string(i % 10),
                              std::string(10'000, 'x')});
  CAF_CHECK_LESS(queued_bytes(victim), 6u << 20);
  nodes[victim].disk->is = condition::well;
  CAF_CHECK(await_agreement());
  CAF_CHECK(ports(victim).contains(9001));
  CAF_CHECK_EQUAL(queued_bytes(victim), 0u);
}

CAF_TEST(who waits in vain at a node in trouble is told of its disk) {
  form();
  auto leader = await_leader();
  auto victim = (leader + 1) % 3;
  nodes[victim].disk->is = condition::full;
  commit_at(leader, server_at(9000));
  CAF_REQUIRE(await([&] { return !trouble(victim).empty(); }));
  isolate(victim);
  auto result = propose_at(victim, server_at(9100));
  CAF_REQUIRE(await([&] { return result->has_value(); }));
  CAF_REQUIRE(!**result);
  auto view = describe((**result).error());
  CAF_CHECK(view.code == errc::unavailable);
  CAF_CHECK(view.detail.find("the disk is full") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(single_disk_trouble_tests, single)

CAF_TEST(a node by itself goes on with what waited) {
  form();
  nodes[0].disk->is = condition::full;
  auto result = propose_at(0, server_at(9000));
  elapse(2s);
  CAF_CHECK(!result->has_value());
  CAF_CHECK(!trouble(0).empty());
  CAF_CHECK(state(0)->leader == member_id::none);
  CAF_CHECK(nodes[0].leadership->until() == lease::clock::time_point{});
  nodes[0].disk->is = condition::well;
  CAF_REQUIRE(await([&] { return result->has_value(); }, 3s));
  CAF_CHECK(**result);
  CAF_CHECK(state(0)->leader == id_of(0));
  CAF_CHECK_EQUAL(ports(0).size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

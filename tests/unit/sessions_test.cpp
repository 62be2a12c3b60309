#define CAF_SUITE sessions

#include "discovery/catalog/sessions.hpp"

#include <string>
#include <vector>

#include <caf/test/dsl.hpp>

#include "messages/msgpack.hpp"

using namespace troupe;

namespace {

using freshness = sessions::freshness;

constexpr member_id alice{1};
constexpr member_id bob{2};

request_id id_of(std::uint64_t sequence, std::uint64_t answered_below,
                 std::uint64_t incarnation = 1, std::uint64_t process = 1) {
  return {alice, incarnation, sequence, answered_below, process};
}

struct fixture {
  sessions known;
  std::uint64_t index = 0;

  /// As the state machine does: what is fresh gets its index for a result.
  freshness apply(const request_id& id) {
    auto result = known.judge(id, ++index);
    if (result == freshness::fresh)
      known.remember(id, {0, {}, {}, std::to_string(index), index});
    return result;
  }

  struct step {
    request_id id;
    freshness expected;
  };

  void check(const std::vector<step>& steps) {
    for (auto& x : steps) {
      CAF_MESSAGE("sequence " << x.id.sequence << ", answered below "
                              << x.id.answered_below << ", incarnation "
                              << x.id.incarnation << ", process "
                              << x.id.process);
      CAF_CHECK(apply(x.id) == x.expected);
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sessions_tests, fixture)

CAF_TEST(a command counts once and keeps its result until it is answered) {
  check({
    {id_of(1, 1), freshness::fresh},
    {id_of(1, 1), freshness::applied},
    {id_of(1, 1), freshness::applied},
    // In any order.
    {id_of(3, 1), freshness::fresh},
    {id_of(2, 1), freshness::fresh},
    {id_of(3, 1), freshness::applied},
  });
  CAF_CHECK_EQUAL(known.result_of(id_of(1, 1)).value, "1");
  CAF_CHECK_EQUAL(known.result_of(id_of(3, 1)).value, "4");
  CAF_CHECK_EQUAL(known.result_of(id_of(2, 1)).value, "5");
}

CAF_TEST(what was answered is never applied again) {
  check({
    {id_of(1, 1), freshness::fresh},
    {id_of(2, 1), freshness::fresh},
    {id_of(3, 1), freshness::fresh},
    // 1 and 2 are answered; 2 is the last one that is.
    {id_of(4, 3), freshness::fresh},
    {id_of(1, 1), freshness::stale},
    {id_of(2, 1), freshness::stale},
    {id_of(3, 1), freshness::applied},
    // What a late copy says is older news.
    {id_of(3, 2), freshness::applied},
    {id_of(2, 2), freshness::stale},
    // Its own answer is known: the command itself comes too late.
    {id_of(3, 4), freshness::stale},
    {id_of(4, 4), freshness::applied},
  });
}

CAF_TEST(one that nobody ever saw is stale once a later one was answered) {
  check({
    {id_of(5, 5), freshness::fresh},
    {id_of(4, 4), freshness::stale},
    {id_of(5, 5), freshness::applied},
    {id_of(6, 5), freshness::fresh},
  });
}

CAF_TEST(a restarted node counts from one again) {
  check({
    {id_of(1, 1, 1, 1), freshness::fresh},
    {id_of(9, 9, 1, 1), freshness::fresh},
    {id_of(1, 1, 2, 2), freshness::fresh},
    {id_of(2, 1, 2, 2), freshness::fresh},
    {id_of(1, 1, 2, 2), freshness::applied},
    // Late ones of its earlier process, seen and not seen.
    {id_of(9, 9, 1, 1), freshness::outdated},
    {id_of(10, 9, 1, 1), freshness::outdated},
    // They change nothing.
    {id_of(2, 1, 2, 2), freshness::applied},
    {id_of(3, 1, 2, 2), freshness::fresh},
  });
}

CAF_TEST(two processes of one incarnation are told apart) {
  check({
    {id_of(1, 1, 3, 7), freshness::fresh},
    {id_of(2, 2, 3, 7), freshness::fresh},
    // From a copy of its data directory.
    {id_of(1, 1, 3, 8), freshness::fresh},
    {id_of(2, 1, 3, 8), freshness::fresh},
    {id_of(1, 1, 3, 8), freshness::applied},
    // The first one is back, or never was away.
    {id_of(2, 2, 3, 7), freshness::applied},
    {id_of(1, 1, 3, 7), freshness::stale},
    {id_of(3, 3, 3, 7), freshness::fresh},
    // Neither is when the node has started once more.
    {id_of(1, 1, 4, 9), freshness::fresh},
    {id_of(4, 4, 3, 7), freshness::outdated},
    {id_of(3, 3, 3, 8), freshness::outdated},
  });
}

CAF_TEST(nodes do not mix) {
  CAF_CHECK(apply(id_of(1, 1)) == freshness::fresh);
  CAF_CHECK(apply({bob, 1, 1, 1, 1}) == freshness::fresh);
  known.erase(bob);
  CAF_CHECK(apply({bob, 1, 1, 1, 1}) == freshness::fresh);
  CAF_CHECK(apply(id_of(1, 1)) == freshness::applied);
}

CAF_TEST(the processes of an incarnation are bounded) {
  for (std::uint64_t process = 1; process <= sessions::max_processes; ++process)
    CAF_REQUIRE(apply(id_of(1, 1, 1, process)) == freshness::fresh);
  // The first is heard again, so the second was silent for longest.
  CAF_CHECK(apply(id_of(1, 1, 1, 1)) == freshness::applied);
  CAF_CHECK(apply(id_of(1, 1, 1, 99)) == freshness::fresh);
  for (std::uint64_t process : {1, 3, 4, 99})
    CAF_CHECK(apply(id_of(1, 1, 1, process)) == freshness::applied);
  CAF_CHECK(apply(id_of(1, 1, 1, 2)) == freshness::fresh);
}

CAF_TEST(a copy of them judges as they do) {
  check({
    {id_of(1, 1, 2, 5), freshness::fresh},
    {id_of(2, 1, 2, 5), freshness::fresh},
    {id_of(3, 2, 2, 6), freshness::fresh},
  });
  sessions copy;
  CAF_REQUIRE(!read_msgpack(write_msgpack(known), copy));
  known = copy;
  check({
    {id_of(1, 1, 1, 5), freshness::outdated},
    {id_of(2, 1, 2, 5), freshness::applied},
    {id_of(1, 1, 2, 6), freshness::stale},
    {id_of(3, 2, 2, 5), freshness::fresh},
  });
}

CAF_TEST_FIXTURE_SCOPE_END()

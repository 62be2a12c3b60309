#define CAF_SUITE proposal_table

#include "discovery/catalog/proposal_table.hpp"

#include <optional>

#include <caf/test/unit_test.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

constexpr auto leader = member_id{1};
constexpr auto other = member_id{2};

struct fixture {
  proposal_table table{1};
  std::optional<caf::expected<apply_result>> answer;

  void add(std::uint64_t sequence, raft_time deadline = raft_time{1000}) {
    table.add(sequence, "x", raft_time{0}, deadline,
              [this](caf::expected<apply_result> result) {
                answer.emplace(std::move(result));
              });
  }

  static apply_result result_at(std::uint64_t index) {
    apply_result result;
    result.index = index;
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(proposal_table_tests, fixture)

CAF_TEST(an answer waits until this node shows the change) {
  add(1);
  CAF_CHECK_EQUAL(table.take_due(raft_time{0}, leader).size(), 1u);
  table.answered(1, result_at(7));
  table.reached(6);
  CAF_CHECK(!answer);
  table.reached(7);
  CAF_REQUIRE(answer && *answer);
  CAF_CHECK_EQUAL((*answer)->index, 7u);
  CAF_CHECK(table.empty());
}

CAF_TEST(a command that is too late is not sent) {
  add(1);
  CAF_CHECK(table.take_due(raft_time{1000}, leader).empty());
  table.expire(raft_time{1000}, make_error(errc::no_quorum, "late"));
  CAF_REQUIRE(answer);
  CAF_CHECK(!*answer);
}

CAF_TEST(an answered command is not tried again at the next leader) {
  add(1);
  table.take_due(raft_time{0}, leader);
  table.answered(1, result_at(7));
  table.leader_is(other, raft_time{5});
  table.peer_lost(leader, raft_time{5});
  table.failed(1, 1, raft_time{5});
  CAF_CHECK(table.take_due(raft_time{900}, other).empty());
}

CAF_TEST(a failed try waits longer each time up to a cap) {
  add(1, raft_time{100'000});
  raft_time now{0};
  for (std::uint32_t number = 1; number <= 12; ++number) {
    CAF_CHECK_EQUAL(table.take_due(now, leader).size(), 1u);
    table.failed(1, number, now);
    CAF_CHECK(table.take_due(now, leader).empty());
    auto due = table.next_due(true);
    CAF_REQUIRE(due);
    CAF_CHECK_GREATER_OR_EQUAL(due->count(), now.count() + 10);
    CAF_CHECK_LESS_OR_EQUAL(due->count(), now.count() + 330);
    now = *due;
  }
}

CAF_TEST(a late failure of an earlier try changes nothing) {
  add(1);
  table.take_due(raft_time{0}, leader);
  table.leader_is(other, raft_time{1});
  CAF_CHECK_EQUAL(table.take_due(raft_time{1}, other).size(), 1u);
  table.failed(1, 1, raft_time{2});
  CAF_CHECK(table.take_due(raft_time{500}, other).empty());
}

CAF_TEST(a command that got no answer is given up at its deadline) {
  add(1);
  table.take_due(raft_time{0}, leader);
  table.expire(raft_time{999}, make_error(errc::no_quorum, "late"));
  CAF_CHECK(!answer);
  table.expire(raft_time{1000}, make_error(errc::no_quorum, "late"));
  CAF_REQUIRE(answer);
  CAF_CHECK(!*answer);
  // The command may commit later all the same.
  table.answered(1, result_at(7));
  table.reached(7);
  CAF_CHECK(table.empty());
}

CAF_TEST(everything below the oldest open command was answered) {
  CAF_CHECK_EQUAL(table.answered_below(5), 5u);
  add(3);
  add(4);
  CAF_CHECK_EQUAL(table.answered_below(5), 3u);
  table.answered(3, result_at(1));
  table.reached(1);
  CAF_CHECK_EQUAL(table.answered_below(5), 4u);
}

CAF_TEST_FIXTURE_SCOPE_END()

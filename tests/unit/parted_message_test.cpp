#define CAF_SUITE parted_message

#include "discovery/raft/parted_message.hpp"

#include <utility>

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

constexpr auto sender = member_id{7};

struct fixture {
  std::string text = "0123456789";
  parted_message outgoing{1, text, 4};
  part_collector incoming;

  raft_message_part part() { return outgoing.next(sender).value(); }

  errc failure(const raft_message_part& x) {
    auto result = incoming.take(x);
    return result ? errc{} : describe(result.error()).code;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(parted_message_tests, fixture)

CAF_TEST(parts become the message again) {
  auto first = part();
  auto second = part();
  CAF_CHECK(first.from == sender);
  CAF_CHECK_EQUAL(first.bytes, "0123");
  CAF_CHECK_EQUAL(second.offset, 4u);
  // Two are on their way at most.
  CAF_CHECK(!outgoing.next(sender));
  CAF_CHECK(!incoming.take(first)->has_value());
  outgoing.arrived();
  auto third = part();
  CAF_CHECK_EQUAL(third.bytes, "89");
  CAF_CHECK(!outgoing.next(sender));
  CAF_CHECK(!incoming.take(second)->has_value());
  auto whole = incoming.take(third);
  CAF_REQUIRE(whole);
  CAF_CHECK(*whole == text);
  outgoing.arrived();
  CAF_CHECK(!outgoing.complete());
  outgoing.arrived();
  CAF_CHECK(outgoing.complete());
  CAF_CHECK(!outgoing.next(sender));
}

CAF_TEST(a part out of order is refused) {
  auto first = part();
  auto second = part();
  CAF_CHECK(failure(second) == errc::conflict);
  CAF_CHECK(failure(first) == errc{});
  CAF_CHECK(failure(second) == errc{});
  CAF_CHECK(failure(second) == errc::conflict);
}

CAF_TEST(another message replaces an unfinished one) {
  CAF_CHECK(failure(part()) == errc{});
  auto late = part();
  parted_message next{2, "abcdef", 4};
  auto first = next.next(sender).value();
  CAF_CHECK(failure(first) == errc{});
  CAF_CHECK(failure(late) == errc::conflict);
  auto whole = incoming.take(next.next(sender).value());
  CAF_REQUIRE(whole);
  CAF_CHECK(*whole == std::string{"abcdef"});
}

CAF_TEST(parts that no sender makes are refused) {
  CAF_CHECK(failure({sender, 1, 10, 0, ""}) == errc::corrupt);
  CAF_CHECK(failure({sender, 1, 10, 11, "x"}) == errc::corrupt);
  CAF_CHECK(failure({sender, 1, 10, 8, "xyz"}) == errc::corrupt);
  CAF_CHECK(failure({sender, 1, part_collector::max_bytes + 1, 0, "x"})
            == errc::corrupt);
}

CAF_TEST_FIXTURE_SCOPE_END()

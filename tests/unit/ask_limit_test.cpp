#define CAF_SUITE ask_limit

#include "http/gateway/ask_limit.hpp"

#include <string>

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

constexpr auto near = member_id{1};
constexpr auto far = member_id{2};

struct fixture {
  ask_limit limit{2};
  std::string asked;

  void ask(member_id whom, char what) {
    limit.enter(whom, [this, what] { asked += what; });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(ask_limit_tests, fixture)

CAF_TEST(who is one too many waits for its turn) {
  for (auto what : {'a', 'b', 'c', 'd'})
    ask(near, what);
  CAF_CHECK_EQUAL(asked, "ab");
  limit.leave(near);
  CAF_CHECK_EQUAL(asked, "abc");
  limit.leave(near);
  limit.leave(near);
  CAF_CHECK_EQUAL(asked, "abcd");
  limit.leave(near);
  ask(near, 'e');
  ask(near, 'f');
  ask(near, 'g');
  CAF_CHECK_EQUAL(asked, "abcdef");
}

CAF_TEST(the silence of one holds up no question to another) {
  for (auto what : {'a', 'b', 'c'})
    ask(far, what);
  ask(near, 'x');
  CAF_CHECK_EQUAL(asked, "abx");
}

CAF_TEST(questions that settle at once are settled one after another) {
  auto settled = 0;
  auto depth = 0;
  auto deepest = 0;
  ask(near, 'a');
  ask(near, 'b');
  for (int i = 0; i < 100'000; ++i)
    limit.enter(near, [&] {
      deepest = std::max(deepest, ++depth);
      ++settled;
      limit.leave(near);
      --depth;
    });
  CAF_CHECK_EQUAL(settled, 0);
  limit.leave(near);
  CAF_CHECK_EQUAL(settled, 100'000);
  CAF_CHECK_EQUAL(deepest, 1);
  limit.leave(near);
  ask(near, 'c');
  CAF_CHECK_EQUAL(asked, "abc");
}

CAF_TEST_FIXTURE_SCOPE_END()

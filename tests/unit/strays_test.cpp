#define CAF_SUITE strays

#include "tests/support/precompiled.hpp"

#include "messages/strays.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct fixture : test_coordinator_fixture<> {
  caf::actor robust = sys.spawn([](caf::event_based_actor* own) {
    outlive_strays(own);
    return caf::behavior{[](int x) { return x + 1; }};
  });

  ~fixture() override {
    caf::anon_send_exit(robust, caf::exit_reason::user_shutdown);
    consume_messages();
  }

  int ask(int what) {
    auto result = 0;
    auto asked = self->request(robust, caf::infinite, what);
    consume_messages();
    asked.receive([&](int x) { result = x; },
                  [](const caf::error& e) { CAF_FAIL(caf::to_string(e)); });
    return result;
  }
};

} // namespace

CAF_TEST(the first line of a kind is written at once and later ones counted) {
  folded_line line;
  folded_line::time_point start{};
  CAF_CHECK(line.note(start) == 1u);
  CAF_CHECK(!line.note(start));
  CAF_CHECK(!line.note(start + 9999ms));
  CAF_CHECK(line.note(start + 10s) == 3u);
  CAF_CHECK(!line.note(start + 11s));
  CAF_CHECK(line.note(start + 30s) == 2u);
}

CAF_TEST_FIXTURE_SCOPE(strays_tests, fixture)

CAF_TEST(an actor outlives errors and news that are not for it) {
  self->send(robust, caf::error{caf::sec::runtime_error});
  self->send(robust, caf::down_msg{self->address(), {}});
  CAF_CHECK_EQUAL(ask(1), 2);
}

CAF_TEST(an unknown message is answered where it is a request) {
  self->send(robust, std::string{"unknown"});
  CAF_CHECK_EQUAL(ask(1), 2);
  auto asked = self->request(robust, caf::infinite, std::string{"unknown"});
  consume_messages();
  asked.receive([] { CAF_ERROR("answered"); },
                [](const caf::error& problem) {
                  CAF_CHECK_EQUAL(describe(problem).code, errc::malformed);
                });
  // The first one brought nothing.
  CAF_CHECK(self->mailbox().empty());
}

CAF_TEST(an actor still ends when it is told to) {
  self->monitor(robust);
  caf::anon_send_exit(robust, caf::exit_reason::user_shutdown);
  consume_messages();
  auto ended = false;
  self->receive([&](const caf::down_msg&) { ended = true; });
  CAF_CHECK(ended);
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE peer_source

#include "discovery/peer_source/peer_source.hpp"

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

/// What the test puts there.
struct place : peer_finder {
  caf::expected<findings> next = findings{};
  int looks = 0;
  int withdrawals = 0;

  caf::expected<findings> look() override {
    ++looks;
    return next;
  }

  void withdraw() override { ++withdrawals; }
};

struct fixture : test_coordinator_fixture<config> {
  directory_ptr names = std::make_shared<directory>();
  std::shared_ptr<place> there = std::make_shared<place>();
  std::vector<peer_candidates> told;
  caf::actor peering;
  peer_source_actor source;

  fixture() {
    // Not a lambda without arguments: CAF binds a reference to its null tuple.
    auto listen = [](caf::event_based_actor*,
                     std::vector<peer_candidates>* to) -> caf::behavior {
      return {[to](const peer_candidates& found) { to->push_back(found); }};
    };
    peering = sys.spawn(listen, &told);
    names->put("peering", caf::actor_cast<caf::strong_actor_ptr>(peering));
  }

  ~fixture() override {
    caf::anon_send_exit(source, caf::exit_reason::kill);
    caf::anon_send_exit(peering, caf::exit_reason::kill);
    consume_messages();
  }

  void start() {
    peer_source_config settings;
    settings.name = "there_peers";
    settings.interval = 1s;
    settings.retry = {200ms, 5s};
    source = spawn_peer_source(sys, settings, there, names);
    consume_messages();
  }

  void pass(caf::timespan time) {
    advance_time(time);
    consume_messages();
  }

  static caf::error down() {
    return make_error(errc::unavailable, "there:1: Connection refused");
  }

  std::map<std::string, std::string> status() {
    std::map<std::string, std::string> result;
    auto asked = self->request(source, caf::infinite, get_status{});
    consume_messages();
    asked.receive(
      [&](const actor_status& x) {
        result = {x.details.begin(), x.details.end()};
      },
      [](const caf::error& e) { CAF_FAIL(caf::to_string(e)); });
    return result;
  }
};

using texts = std::map<std::string, std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(peer_source_tests, fixture)

CAF_TEST(what is found is told at each interval) {
  there->next = findings{{{"a", 1}, {"b", 2}}, {}};
  start();
  CAF_REQUIRE_EQUAL(told.size(), 1u);
  CAF_CHECK_EQUAL(told[0].source, "there_peers");
  CAF_CHECK(told[0].addresses == there->next->addresses);
  pass(999ms);
  CAF_CHECK_EQUAL(told.size(), 1u);
  pass(1ms);
  CAF_CHECK_EQUAL(told.size(), 2u);
  CAF_CHECK(status() == (texts{{"a:1", "known"}, {"b:2", "known"}}));
}

CAF_TEST(a peering actor that comes later hears of it too) {
  names->erase("peering");
  there->next = findings{{{"a", 1}}, {}};
  start();
  CAF_CHECK(told.empty());
  names->put("peering", caf::actor_cast<caf::strong_actor_ptr>(peering));
  pass(1s);
  CAF_CHECK_EQUAL(told.size(), 1u);
}

CAF_TEST(a place that is down is asked again after growing waits) {
  there->next = down();
  start();
  // Of 200 ms, 400, 800, 1600, 3200 and then 5 s: half at least, all at most.
  for (auto most : {200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
    auto before = there->looks;
    pass(most / 2 - 1ms);
    CAF_CHECK_EQUAL(there->looks, before);
    auto rest = most / 2 + 1ms;
    for (; rest > 0ms && there->looks == before; rest -= 1ms)
      pass(1ms);
    CAF_CHECK_EQUAL(there->looks, before + 1);
  }
  there->next = findings{{{"a", 1}}, {}};
  pass(5s);
  auto before = there->looks;
  pass(1s);
  CAF_CHECK_EQUAL(there->looks, before + 1);
}

CAF_TEST(what a place said before it went down still counts) {
  there->next = findings{{{"a", 1}}, {}};
  start();
  there->next = down();
  pass(1s);
  CAF_CHECK_EQUAL(told.size(), 2u);
  CAF_CHECK(told.back().addresses == (std::vector<endpoint>{{"a", 1}}));
  CAF_CHECK(
    status()
    == (texts{{"a:1", "known"}, {"problem", "there:1: Connection refused"}}));
  there->next = findings{{{"b", 1}}, {}};
  pass(5s);
  CAF_CHECK(status() == (texts{{"b:1", "known"}}));
}

CAF_TEST(complaints are part of the status) {
  there->next = findings{{{"a", 1}}, {"line 2 is wrong", "line 3 is wrong"}};
  start();
  auto details = status();
  CAF_CHECK_EQUAL(details["complaints"], "line 2 is wrong; line 3 is wrong");
}

CAF_TEST(a place with absurdly many addresses does not flood peering) {
  findings many;
  for (int i = 0; i < 5000; ++i)
    many.addresses.push_back({"host-" + std::to_string(i), 1});
  there->next = many;
  start();
  CAF_CHECK_EQUAL(told[0].addresses.size(), 1000u);
  auto details = status();
  CAF_CHECK_EQUAL(details["complaints"],
                  "names 5000 addresses, only the first 1000 are used");
}

CAF_TEST(only a node that stops withdraws) {
  start();
  caf::anon_send_exit(source, caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK_EQUAL(there->withdrawals, 0);
  start();
  caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
  consume_messages();
  CAF_CHECK_EQUAL(there->withdrawals, 1);
}

CAF_TEST_FIXTURE_SCOPE_END()

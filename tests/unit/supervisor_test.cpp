#define CAF_SUITE supervisor

#include "actors/supervisor/supervisor.hpp"

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

caf::behavior idle_child(caf::event_based_actor* self) {
  return {[self](const std::string& order) {
    if (order == "corrupt")
      self->quit(make_error(errc::corrupt, "a bad block"));
    else if (order == "foreign")
      self->quit(make_error(errc::conflict, "another cluster's log"));
    else
      self->quit(caf::sec::runtime_error);
  }};
}

struct fixture : test_coordinator_fixture<config> {
  directory_ptr names = std::make_shared<directory>();
  std::vector<std::string> started;
  std::vector<std::string> fatal;
  supervisor_actor supervisor;

  child_spec child(std::string name, std::vector<std::string> after = {}) {
    return {
      name,
      [this, name](
        caf::actor_system& system) -> caf::expected<caf::strong_actor_ptr> {
        started.push_back(name);
        return caf::actor_cast<caf::strong_actor_ptr>(system.spawn(idle_child));
      },
      std::move(after)};
  }

  void supervise(std::vector<child_spec> children) {
    supervisor_config settings;
    settings.restart.max_restarts = 2;
    supervisor = spawn_supervisor(
      sys, settings, std::move(children), names,
      [this](const std::string& why) { fatal.push_back(why); });
    consume_messages();
  }

  void order(const std::string& name, const std::string& what) {
    caf::anon_send(names->local<caf::actor>(name), what);
    consume_messages();
  }

  void pass(caf::timespan time) {
    advance_time(time);
    consume_messages();
  }

  ~fixture() override {
    self->request(supervisor, caf::infinite, shut_down{});
    consume_messages();
  }
};

using strings = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, fixture)

CAF_TEST(children start in order and are found by name) {
  supervise({child("a"), child("b", {"a"}), child("c")});
  CAF_CHECK_EQUAL(started, strings({"a", "b", "c"}));
  CAF_CHECK(names->local<caf::actor>("b"));
}

CAF_TEST(a child that fails is replaced under its name) {
  supervise({child("a")});
  auto before = names->local<caf::actor>("a");
  order("a", "fail");
  pass(1ms);
  auto after = names->local<caf::actor>("a");
  CAF_REQUIRE(after);
  CAF_CHECK(before != after);
  CAF_CHECK_EQUAL(started, strings({"a", "a"}));
  CAF_CHECK(fatal.empty());
}

CAF_TEST(the second restart waits) {
  supervise({child("a")});
  order("a", "fail");
  pass(1ms);
  order("a", "fail");
  pass(700ms);
  CAF_CHECK(!names->local<caf::actor>("a"));
  pass(600ms);
  CAF_CHECK(names->local<caf::actor>("a"));
}

CAF_TEST(too many failures end the node) {
  supervise({child("a")});
  for (int i = 0; i < 3; ++i) {
    order("a", "fail");
    pass(5s);
  }
  CAF_REQUIRE_EQUAL(fatal.size(), 1u);
  CAF_CHECK_EQUAL(fatal[0].substr(0, 3), "a: ");
}

CAF_TEST(a broken disk ends the node at once) {
  supervise({child("log")});
  order("log", "corrupt");
  CAF_CHECK_EQUAL(fatal, strings({"log: a bad block"}));
  CAF_CHECK_EQUAL(started, strings({"log"}));
}

CAF_TEST(what a restart would find as it was ends the node at once) {
  supervise({child("log")});
  order("log", "foreign");
  CAF_CHECK_EQUAL(fatal, strings({"log: another cluster's log"}));
  CAF_CHECK_EQUAL(started, strings({"log"}));
}

CAF_TEST(a child does not outlive what it depends on) {
  supervise({child("log"), child("catalog", {"log"}), child("other")});
  auto before = names->local<caf::actor>("catalog");
  order("log", "fail");
  pass(1ms);
  CAF_CHECK_EQUAL(started,
                  strings({"log", "catalog", "other", "log", "catalog"}));
  CAF_CHECK(names->local<caf::actor>("catalog"));
  CAF_CHECK(names->local<caf::actor>("catalog") != before);
}

CAF_TEST(a child can be killed by name) {
  supervise({child("a")});
  self->request(supervisor, caf::infinite, kill_child{"a"});
  consume_messages();
  pass(1ms);
  CAF_CHECK_EQUAL(started, strings({"a", "a"}));
}

CAF_TEST(the event of a restart asks for no answer) {
  auto events = 0;
  auto senders = 0;
  auto catalog = [&](caf::event_based_actor* own) -> caf::behavior {
    return {[&events, &senders, own](const propose&) {
      ++events;
      senders += own->current_sender() != nullptr;
      return apply_result{};
    }};
  };
  supervise({child("a")});
  auto told = sys.spawn(catalog);
  names->put("catalog", caf::actor_cast<caf::strong_actor_ptr>(told));
  order("a", "fail");
  pass(1ms);
  CAF_CHECK_EQUAL(events, 1);
  CAF_CHECK_EQUAL(senders, 0);
  caf::anon_send_exit(told, caf::exit_reason::kill);
}

CAF_TEST(shutting down stops all children and starts none again) {
  supervise({child("a"), child("b")});
  caf::anon_send(supervisor, shut_down{});
  consume_messages();
  CAF_CHECK(!names->local<caf::actor>("a"));
  CAF_CHECK(!names->local<caf::actor>("b"));
  pass(10s);
  CAF_CHECK_EQUAL(started, strings({"a", "b"}));
  CAF_CHECK(fatal.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()

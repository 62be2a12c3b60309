#define CAF_SUITE health_prober

#include "actors/health_prober/health_prober.hpp"

#include <caf/test/dsl.hpp>

#include "actors/health_prober/assignment.hpp"
#include "actors/health_prober/thresholds.hpp"
#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

health after(std::vector<bool> results, health current) {
  check_streak streak;
  for (auto passed : results)
    streak.record(passed);
  return streak.verdict(current, thresholds{3, 2});
}

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

constexpr auto me = member_id{1};

struct fixture : test_coordinator_fixture<config> {
  cluster_view view = std::make_shared<published<cluster_state>>();
  lease_ptr roles = std::make_shared<lease>();
  directory_ptr names = std::make_shared<directory>();
  /// Checks under way, and what the fake catalog was asked.
  std::vector<std::pair<std::string, std::function<void(probe_result)>>> checks;
  std::vector<set_health> proposals;
  bool catalog_works = true;
  caf::actor catalog;
  health_prober_actor aut;

  fixture() {
    catalog = sys.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const propose& what) -> caf::result<apply_result> {
        auto& wanted = std::get<set_health>(what.body);
        proposals.push_back(wanted);
        if (!catalog_works)
          return make_error(errc::no_quorum, "no leader");
        auto next = *view->get();
        next.servers.at(wanted.id).condition = wanted.condition;
        view->set(std::move(next));
        return apply_result{};
      }};
    });
    names->put("catalog", caf::actor_cast<caf::strong_actor_ptr>(catalog));
    set_members({me});
    roles->extend({}, lease::clock::time_point::max(), {});
  }

  ~fixture() override {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
    caf::anon_send_exit(catalog, caf::exit_reason::kill);
  }

  health_prober_config settings;
  health_check last_check;

  void start(std::uint32_t max_in_flight = 64) {
    settings.self = me;
    settings.interval = 1s;
    settings.max_in_flight = max_in_flight;
    aut =
      spawn_health_prober(sys, settings, view, names, roles,
                          [this](const server& target, const health_check& how,
                                 std::chrono::milliseconds,
                                 std::function<void(probe_result)> done) {
                            last_check = how;
                            checks.emplace_back(target.id, std::move(done));
                          });
    consume_messages();
  }

  void set_members(std::vector<member_id> ids) {
    auto next = *view->get();
    next.members.clear();
    for (auto id : ids)
      next.members[id].info.id = id;
    view->set(std::move(next));
  }

  void add_server(const std::string& id, health condition = health::unknown) {
    auto next = *view->get();
    next.servers[id].id = id;
    next.servers[id].condition = condition;
    view->set(std::move(next));
  }

  void elapse(std::chrono::milliseconds span) {
    for (auto passed = 0ms; passed < span; passed += 50ms) {
      advance_time(50ms);
      consume_messages();
    }
  }

  /// Ends all checks under way.
  void finish_checks(bool passed) {
    auto ending = std::move(checks);
    checks.clear();
    for (auto& [id, done] : ending)
      done({id, passed, true, passed ? "" : "status 500", 1});
    consume_messages();
  }

  health condition(const std::string& id) {
    return view->get()->servers.at(id).condition;
  }
};

} // namespace

CAF_TEST(thresholds count consecutive results) {
  CAF_CHECK(after({false, false}, health::healthy) == health::healthy);
  CAF_CHECK(after({false, false, false}, health::healthy) == health::unhealthy);
  CAF_CHECK(after({false, false, true, false, false}, health::healthy)
            == health::healthy);
  CAF_CHECK(after({true}, health::unhealthy) == health::unhealthy);
  CAF_CHECK(after({true, true}, health::unhealthy) == health::healthy);
  CAF_CHECK(after({true, false, true}, health::unhealthy) == health::unhealthy);
}

CAF_TEST(an unknown server is healthy with its first pass) {
  CAF_CHECK(after({}, health::unknown) == health::unknown);
  CAF_CHECK(after({true}, health::unknown) == health::healthy);
  CAF_CHECK(after({false, false}, health::unknown) == health::unknown);
  CAF_CHECK(after({false, false, false}, health::unknown) == health::unhealthy);
}

CAF_TEST(all members find the same prober and load is shared) {
  std::vector<member_id> members{member_id{11}, member_id{22}, member_id{33}};
  std::vector<member_id> other_order{member_id{33}, member_id{11},
                                     member_id{22}};
  std::map<member_id, int> load;
  for (int i = 0; i < 300; ++i) {
    auto id = "server-" + std::to_string(i);
    CAF_CHECK(prober_of(id, members) == prober_of(id, other_order));
    ++load[prober_of(id, members)];
  }
  for (auto member : members)
    CAF_CHECK_GREATER(load[member], 60);
  CAF_CHECK(prober_of("server-1", {}) == member_id::none);
}

CAF_TEST(a member that leaves moves only its own servers) {
  std::vector<member_id> before{member_id{11}, member_id{22}, member_id{33}};
  std::vector<member_id> now{member_id{11}, member_id{33}};
  for (int i = 0; i < 300; ++i) {
    auto id = "server-" + std::to_string(i);
    auto old = prober_of(id, before);
    if (old != member_id{22})
      CAF_CHECK(prober_of(id, now) == old);
  }
}

CAF_TEST_FIXTURE_SCOPE(prober_tests, fixture)

CAF_TEST(a new server is checked at once and then every interval) {
  start();
  CAF_CHECK(checks.empty());
  add_server("server-1");
  elapse(100ms);
  CAF_REQUIRE_EQUAL(checks.size(), 1u);
  finish_checks(true);
  CAF_CHECK(condition("server-1") == health::healthy);
  elapse(800ms);
  CAF_CHECK(checks.empty());
  elapse(500ms);
  CAF_CHECK_EQUAL(checks.size(), 1u);
}

CAF_TEST(three failures make it unhealthy and two passes healthy again) {
  add_server("server-1", health::healthy);
  start();
  for (int i = 0; i < 3; ++i) {
    CAF_CHECK(condition("server-1") == health::healthy);
    elapse(1300ms);
    finish_checks(false);
  }
  CAF_CHECK(condition("server-1") == health::unhealthy);
  CAF_REQUIRE_EQUAL(proposals.size(), 1u);
  CAF_CHECK_EQUAL(proposals[0].reason, "status 500");
  elapse(1300ms);
  finish_checks(true);
  CAF_CHECK(condition("server-1") == health::unhealthy);
  elapse(1300ms);
  finish_checks(true);
  CAF_CHECK(condition("server-1") == health::healthy);
}

CAF_TEST(a server that hangs is out as soon as one that refuses) {
  add_server("server-1", health::healthy);
  start();
  elapse(1300ms);
  // Each check takes as long as it may.
  for (int i = 0; i < 3; ++i) {
    CAF_REQUIRE_EQUAL(checks.size(), 1u);
    elapse(1000ms);
    finish_checks(false);
    elapse(150ms);
  }
  CAF_CHECK(condition("server-1") == health::unhealthy);
}

CAF_TEST(a service may have a check of its own) {
  settings.check.path = "/alive";
  settings.by_service["special"] = {true, "/x", "shop.example", 9999};
  add_server("server-1");
  start();
  CAF_CHECK_EQUAL(last_check.path, "/alive");
  CAF_CHECK(!last_check.tcp_only);
  auto next = *view->get();
  next.servers["server-2"].id = "server-2";
  next.servers["server-2"].service = "special";
  view->set(std::move(next));
  elapse(100ms);
  CAF_CHECK(last_check.tcp_only);
  CAF_CHECK_EQUAL(last_check.host, "shop.example");
  CAF_CHECK_EQUAL(last_check.port, 9999);
  settings.by_service["special"].path = "x";
  CAF_CHECK(settings.validate());
}

CAF_TEST(a transition that was not recorded is proposed again) {
  catalog_works = false;
  add_server("server-1");
  start();
  finish_checks(true);
  CAF_CHECK(condition("server-1") == health::unknown);
  catalog_works = true;
  elapse(1300ms);
  finish_checks(true);
  CAF_CHECK(condition("server-1") == health::healthy);
  CAF_CHECK_EQUAL(proposals.size(), 2u);
}

CAF_TEST(servers of other members are left to them) {
  set_members({me, member_id{2}});
  for (int i = 0; i < 40; ++i)
    add_server("server-" + std::to_string(i));
  start();
  elapse(200ms);
  auto alone = [&] {
    std::set<std::string> ids;
    for (auto& [id, done] : checks)
      ids.insert(id);
    return ids;
  }();
  CAF_CHECK_GREATER(alone.size(), 5u);
  CAF_CHECK_LESS(alone.size(), 35u);
  set_members({me});
  elapse(1300ms);
  CAF_CHECK_EQUAL(checks.size(), 40u);
}

CAF_TEST(checks under way are bounded) {
  for (int i = 0; i < 10; ++i)
    add_server("server-" + std::to_string(i));
  start(4);
  elapse(500ms);
  CAF_CHECK_EQUAL(checks.size(), 4u);
  finish_checks(true);
  elapse(100ms);
  CAF_CHECK_EQUAL(checks.size(), 4u);
}

CAF_TEST(the result for a removed server changes nothing) {
  add_server("server-1");
  start();
  CAF_REQUIRE_EQUAL(checks.size(), 1u);
  auto next = *view->get();
  next.servers.clear();
  view->set(std::move(next));
  elapse(100ms);
  finish_checks(true);
  CAF_CHECK(proposals.empty());
}

CAF_TEST(a check that this node could not make changes nothing) {
  add_server("a", health::healthy);
  start();
  for (int round = 0; round < 10; ++round) {
    elapse(1200ms);
    auto ending = std::move(checks);
    checks.clear();
    CAF_CHECK(!ending.empty());
    for (auto& [id, done] : ending)
      done({id, false, false, "too many open files", 1});
    consume_messages();
  }
  CAF_CHECK(proposals.empty());
  CAF_CHECK(condition("a") == health::healthy);
}

CAF_TEST_FIXTURE_SCOPE_END()

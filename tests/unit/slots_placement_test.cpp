#define CAF_SUITE placement

#include "discovery/slots/placement.hpp"

#include <caf/all.hpp>

#include <caf/test/dsl.hpp>

#include "discovery/slots/rebalance.hpp"
#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

constexpr auto me = member_id{1};

cluster_state make_state(std::map<member_id, verdict> members,
                         slot_table slots = {}) {
  cluster_state result;
  result.leader = me;
  for (auto [id, what] : members) {
    result.members[id].info.id = id;
    result.members[id].state = what;
  }
  result.slots = std::make_shared<slot_table>(std::move(slots));
  return result;
}

slot_table table_of(std::vector<member_id> nodes) {
  slot_table result;
  result.epoch = 5;
  result.nodes = std::move(nodes);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot)
    result.owner.push_back(slot % result.nodes.size());
  return result;
}

constexpr auto a = member_id{1};
constexpr auto b = member_id{2};
constexpr auto c = member_id{3};
constexpr auto alive = verdict::alive;

/// A placement beside a catalog that keeps what it was proposed.
struct fixture : test_coordinator_fixture<config> {
  cluster_view view = std::make_shared<published<cluster_state>>();
  directory_ptr names = std::make_shared<directory>();
  std::vector<slot_table> proposed;
  /// What the catalog answers; 0: it takes the table.
  errc refusal{};
  bool silent = false;
  caf::response_promise pending;
  caf::actor catalog;
  placement_actor aut;

  fixture() {
    catalog = sys.spawn([this](caf::event_based_actor* self) {
      return caf::behavior{
        [this, self](const propose& x) -> caf::result<apply_result> {
          proposed.push_back(std::get<assign_slots>(x.body).table);
          if (silent) {
            pending = self->make_response_promise();
            return pending;
          }
          apply_result result;
          result.code = static_cast<std::uint8_t>(refusal);
          if (result.code == 0)
            take(proposed.back());
          return result;
        },
        // A promise is for its actor to keep.
        [this](tick) {
          silent = false;
          pending.deliver(make_error(errc::no_quorum, "not committed"));
        },
      };
    });
    names->put("catalog", caf::actor_cast<caf::strong_actor_ptr>(catalog));
  }

  ~fixture() override {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
    caf::anon_send_exit(catalog, caf::exit_reason::kill);
    consume_messages();
  }

  void start() {
    aut = spawn_placement(sys, {me}, view, names);
    consume_messages();
  }

  void take(const slot_table& table) {
    auto next = *view->get();
    next.slots = std::make_shared<slot_table>(table);
    view->set(next);
  }

  void elapse(std::chrono::milliseconds span) {
    for (auto step = 50ms; span > 0ms; span -= step) {
      advance_time(step);
      consume_messages();
    }
  }
};

} // namespace

CAF_TEST(new nodes wait for each other) {
  rebalance r{500ms, 1500ms};
  rebalance::time_point now{1h};
  CAF_CHECK(!r.step(make_state({{a, alive}}), now));
  CAF_CHECK(r.waiting());
  CAF_CHECK(!r.step(make_state({{a, alive}, {b, alive}}), now + 400ms));
  auto table = r.step(make_state({{a, alive}, {b, alive}}), now + 500ms);
  CAF_REQUIRE(table);
  CAF_CHECK_EQUAL(table->nodes.size(), 2u);
  CAF_CHECK(!r.step(make_state({{a, alive}, {b, alive}}, *table), now + 501ms));
  CAF_CHECK(!r.waiting());
}

CAF_TEST(the slots of a dead node move at once) {
  for (auto what : {verdict::down, verdict::left}) {
    rebalance r{500ms, 1500ms};
    auto table =
      r.step(make_state({{a, alive}, {b, what}}, table_of({a, b})), {});
    CAF_REQUIRE(table);
    CAF_CHECK(table->nodes == std::vector<member_id>{a});
    CAF_CHECK_EQUAL(table->epoch, 6u);
  }
}

CAF_TEST(a removed node keeps its slots until its lease has ended) {
  rebalance r{500ms, 1500ms};
  rebalance::time_point now{1h};
  auto state = make_state({{a, alive}, {b, verdict::left}, {c, alive}},
                          table_of({a, b, c}));
  state.members[b].dismissed = true;
  CAF_CHECK(!r.step(state, now));
  CAF_CHECK(r.waiting());
  // Another one that is gone does not wait for it.
  state.members[c].state = verdict::down;
  auto table = r.step(state, now + 100ms);
  CAF_REQUIRE(table);
  CAF_CHECK((table->nodes == std::vector<member_id>{a, b}));
  state.slots = std::make_shared<slot_table>(*table);
  CAF_CHECK(!r.step(state, now + 1499ms));
  table = r.step(state, now + 1500ms);
  CAF_REQUIRE(table);
  CAF_CHECK(table->nodes == std::vector<member_id>{a});
  state.slots = std::make_shared<slot_table>(*table);
  CAF_CHECK(!r.step(state, now + 1501ms));
  CAF_CHECK(!r.waiting());
}

CAF_TEST(a forgotten node is a dead one) {
  rebalance r{500ms, 1500ms};
  CAF_CHECK(r.step(make_state({{a, alive}}, table_of({a, b})), {}));
}

CAF_TEST(a suspect keeps its slots and gets no first ones) {
  rebalance r{0ms, 1500ms};
  auto state =
    make_state({{a, alive}, {b, verdict::suspect}}, table_of({a, b}));
  CAF_CHECK(!r.step(state, {}));
  CAF_CHECK(!r.step(
    make_state({{a, alive}, {c, verdict::suspect}}, table_of({a})), {}));
}

CAF_TEST(a node that leaves before its share is due is forgotten) {
  rebalance r{500ms, 1500ms};
  rebalance::time_point now{1h};
  auto without = make_state({{a, alive}}, table_of({a}));
  auto with = make_state({{a, alive}, {b, alive}}, table_of({a}));
  CAF_CHECK(!r.step(with, now));
  CAF_CHECK(!r.step(without, now + 400ms));
  CAF_CHECK(!r.step(with, now + 600ms));
  CAF_CHECK(r.step(with, now + 1100ms));
}

CAF_TEST(nobody alive is nobody to plan for) {
  rebalance r{0ms, 1500ms};
  CAF_CHECK(!r.step(make_state({{a, verdict::down}}, table_of({a})), {}));
  CAF_CHECK(!r.step({}, {}));
}

CAF_TEST_FIXTURE_SCOPE(placement_tests, fixture)

CAF_TEST(the leader assigns the slots once) {
  start();
  view->set(make_state({{a, alive}, {b, alive}, {c, alive}}));
  elapse(500ms);
  CAF_CHECK_EQUAL(proposed.size(), 0u);
  elapse(100ms);
  CAF_REQUIRE_EQUAL(proposed.size(), 1u);
  CAF_CHECK_EQUAL(proposed.back().epoch, 1u);
  CAF_CHECK_EQUAL(proposed.back().nodes.size(), 3u);
  elapse(5s);
  CAF_CHECK_EQUAL(proposed.size(), 1u);
}

CAF_TEST(a dead owner is replaced within two ticks) {
  start();
  view->set(make_state({{a, alive}, {b, alive}}, table_of({a, b})));
  elapse(1s);
  CAF_CHECK_EQUAL(proposed.size(), 0u);
  view->set(make_state({{a, alive}, {b, verdict::down}}, table_of({a, b})));
  elapse(100ms);
  CAF_REQUIRE_EQUAL(proposed.size(), 1u);
  CAF_CHECK_EQUAL(proposed.back().epoch, 6u);
}

CAF_TEST(a follower proposes nothing) {
  start();
  auto state = make_state({{a, alive}, {b, alive}});
  state.leader = b;
  view->set(state);
  elapse(5s);
  CAF_CHECK_EQUAL(proposed.size(), 0u);
  state.leader = me;
  view->set(state);
  elapse(600ms);
  CAF_CHECK_EQUAL(proposed.size(), 1u);
}

CAF_TEST(one proposal is under way at a time) {
  silent = true;
  start();
  view->set(make_state({{a, alive}}, table_of({a, b})));
  elapse(1s);
  view->set(make_state({{a, alive}, {c, alive}}, table_of({a, b})));
  elapse(5s);
  CAF_CHECK_EQUAL(proposed.size(), 1u);
  self->send(catalog, tick{});
  elapse(1s);
  CAF_REQUIRE_EQUAL(proposed.size(), 2u);
  CAF_CHECK(proposed.back().nodes == (std::vector<member_id>{a, c}));
}

CAF_TEST(after a conflict it looks again) {
  refusal = errc::conflict;
  start();
  view->set(make_state({{a, alive}}, table_of({a, b})));
  elapse(200ms);
  CAF_CHECK_GREATER_OR_EQUAL(proposed.size(), 1u);
  take(table_of({a}));
  auto before = proposed.size();
  elapse(1s);
  CAF_CHECK_EQUAL(proposed.size(), before);
}

CAF_TEST(without a catalog it waits for one) {
  names->erase("catalog");
  start();
  view->set(make_state({{a, alive}}, table_of({a, b})));
  elapse(2s);
  CAF_CHECK_EQUAL(proposed.size(), 0u);
  names->put("catalog", caf::actor_cast<caf::strong_actor_ptr>(catalog));
  elapse(600ms);
  CAF_CHECK_EQUAL(proposed.size(), 1u);
}

CAF_TEST(it says what it does) {
  start();
  view->set(make_state({{a, alive}}, table_of({a})));
  self->send(aut, get_status{});
  consume_messages();
  self->receive([](const actor_status& status) {
    CAF_CHECK_EQUAL(status.name, "placement");
    CAF_CHECK_EQUAL(status.details.at("epoch"), "5");
  });
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a config with impossible values is refused) {
  CAF_CHECK(!placement_config{me}.validate());
  CAF_CHECK(placement_config{}.validate());
  placement_config wrong{me};
  wrong.interval = 0ms;
  CAF_CHECK_EQUAL(describe(wrong.validate()).field, "interval");
}

#define CAF_SUITE cache_shard

#include "actors/cache_shard/cache_shard.hpp"

#include <caf/all.hpp>

#include <caf/test/dsl.hpp>

#include "actors/cache_shard/handover.hpp"
#include "actors/cache_shard/import_guard.hpp"
#include "messages/error.hpp"
#include "messages/slots.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

constexpr auto a = member_id{0xa};
constexpr auto b = member_id{0xb};

/// Two nodes with one directory and one view each, as in two processes.
struct fixture : test_coordinator_fixture<config> {
  struct node {
    cluster_view view = std::make_shared<published<cluster_state>>();
    directory_ptr names = std::make_shared<directory>();
    lease_ptr roles = std::make_shared<lease>();
    cache_shard_actor shard;
  };

  node at_a;
  node at_b;

  fixture() {
    at_a.shard = spawn(a, at_a);
    at_b.shard = spawn(b, at_b);
    at_a.names->put_peer(b, {{"cache_shard/0", handle(at_b.shard)}});
    at_b.names->put_peer(a, {{"cache_shard/0", handle(at_a.shard)}});
    consume_messages();
  }

  ~fixture() override {
    caf::anon_send_exit(at_a.shard, caf::exit_reason::kill);
    caf::anon_send_exit(at_b.shard, caf::exit_reason::kill);
    consume_messages();
  }

  static caf::strong_actor_ptr handle(const cache_shard_actor& x) {
    return caf::actor_cast<caf::strong_actor_ptr>(x);
  }

  cache_shard_actor spawn(member_id id, const node& on,
                          cache_shard_config settings = {}) {
    settings.self = id;
    CAF_REQUIRE(!settings.validate());
    on.roles->extend({}, lease::clock::time_point::max(), {});
    return spawn_cache_shard(sys, settings, on.view, on.names, on.roles);
  }

  static cluster_state owned_by(std::uint64_t epoch, member_id owner) {
    cluster_state result;
    for (auto [id, name] : {std::pair{a, "node-a"}, std::pair{b, "node-b"}}) {
      result.members[id].info.id = id;
      result.members[id].info.name = name;
    }
    slot_table table;
    table.epoch = epoch;
    table.nodes = {owner};
    table.owner.assign(slot_count, 0);
    result.slots = std::make_shared<slot_table>(table);
    return result;
  }

  void assign(std::uint64_t epoch, member_id owner) {
    at_a.view->set(owned_by(epoch, owner));
    at_b.view->set(owned_by(epoch, owner));
  }

  void elapse(std::chrono::milliseconds span,
              std::chrono::milliseconds step = 10ms) {
    for (; span > 0ms; span -= step) {
      advance_time(step);
      consume_messages();
    }
  }

  /// Asks and runs everybody until the answer is here.
  template <class Answer, class Request>
  caf::expected<Answer> ask(const cache_shard_actor& who, Request what) {
    caf::expected<Answer> result{caf::error{}};
    auto answer = self->request(who, caf::infinite, std::move(what));
    consume_messages();
    answer.receive([&](Answer x) { result = std::move(x); },
                   [&](caf::error x) { result = std::move(x); });
    return result;
  }

  std::string get(const cache_shard_actor& who, const std::string& key) {
    auto result = ask<cache_value>(who, cache_get{key});
    return result ? result->bytes
                  : std::string{to_string(describe(result.error()).code)};
  }

  caf::expected<cache_count> set(const cache_shard_actor& who, std::string key,
                                 std::string value, std::int64_t ttl = no_ttl) {
    return ask<cache_count>(who, cache_set{std::move(key), std::move(value),
                                           value_encoding::raw, ttl});
  }

  template <class Request>
  std::uint64_t count(const cache_shard_actor& who, Request what) {
    return ask<cache_count>(who, std::move(what))->count;
  }

  cache_stats stats(const cache_shard_actor& who) {
    return *ask<cache_stats>(who, get_cache_stats{});
  }

  std::string detail(const cache_shard_actor& who, const std::string& name) {
    return ask<actor_status>(who, get_status{})->details.at(name);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(cache_shard_tests, fixture)

CAF_TEST(without a slot table it is unavailable and says why) {
  auto result = ask<cache_value>(at_a.shard, cache_get{"key"});
  auto view = describe(result.error());
  CAF_CHECK(view.code == errc::unavailable);
  CAF_CHECK_NOT_EQUAL(view.detail.find("slots"), std::string::npos);
  CAF_CHECK(!set(at_a.shard, "key", "value"));
}

CAF_TEST(a value is read back with its time and encoding) {
  assign(1, a);
  auto stored = ask<cache_count>(
    at_a.shard, cache_set{"key", "value", value_encoding::json, 5000});
  CAF_REQUIRE(stored);
  CAF_CHECK_EQUAL(stored->count, 1u);
  elapse(1s);
  auto result = ask<cache_value>(at_a.shard, cache_get{"key"});
  CAF_REQUIRE(result);
  CAF_CHECK_EQUAL(result->bytes, "value");
  CAF_CHECK(result->encoding == value_encoding::json);
  CAF_CHECK_EQUAL(result->ttl_ms, 4000);
}

CAF_TEST(without its lease a shard reads but does not write) {
  assign(1, a);
  CAF_CHECK(set(at_a.shard, "key", "value"));
  at_a.roles->end();
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "value");
  auto written = set(at_a.shard, "key", "other");
  CAF_REQUIRE(!written);
  CAF_CHECK(describe(written.error()).code == errc::unavailable);
  CAF_CHECK(!ask<cache_count>(at_a.shard, cache_delete{"key"}));
  CAF_CHECK(!ask<cache_count>(at_a.shard, cache_clear{}));
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "value");
}

CAF_TEST(an absent key is not found and a delete says what it did) {
  assign(1, a);
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "not_found");
  set(at_a.shard, "key", "value");
  CAF_CHECK_EQUAL(count(at_a.shard, cache_delete{"key"}), 1u);
  CAF_CHECK_EQUAL(count(at_a.shard, cache_delete{"key"}), 0u);
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "not_found");
}

CAF_TEST(an entry is gone when its time is over) {
  assign(1, a);
  set(at_a.shard, "key", "value", 500);
  elapse(490ms);
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "value");
  elapse(10ms);
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "not_found");
}

CAF_TEST(expired entries are swept without being asked for) {
  assign(1, a);
  for (int i = 0; i < 100; ++i)
    set(at_a.shard, std::to_string(i), "value", 500);
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 100u);
  elapse(2s);
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 0u);
  CAF_CHECK_EQUAL(stats(at_a.shard).expirations, 100u);
  CAF_CHECK_EQUAL(stats(at_a.shard).used_bytes, 0u);
}

CAF_TEST(a slot of another node is refused and its owner named) {
  assign(1, b);
  auto slot = std::to_string(slot_of("key"));
  std::vector<caf::error> refusals{
    ask<cache_value>(at_a.shard, cache_get{"key"}).error(),
    set(at_a.shard, "key", "value").error(),
    ask<cache_count>(at_a.shard, cache_delete{"key"}).error()};
  for (auto& refusal : refusals) {
    auto view = describe(refusal);
    CAF_CHECK(view.code == errc::wrong_owner);
    CAF_CHECK_EQUAL(view.detail,
                    "slot " + slot + " belongs to node-b (000000000000000b)");
  }
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 0u);
}

CAF_TEST(a slot of another shard is refused) {
  assign(1, a);
  cache_shard_config settings;
  settings.shards = 2;
  settings.index = (slot_of("key") + 1) % 2;
  auto other = spawn(a, at_a, settings);
  CAF_CHECK_EQUAL(get(other, "key"), "wrong_owner");
  caf::anon_send_exit(other, caf::exit_reason::kill);
}

CAF_TEST(a key or value that is too large is refused with the bound) {
  assign(1, a);
  cache_shard_config settings;
  settings.max_key_bytes = 10;
  settings.max_value_bytes = 2000;
  settings.max_bytes = 1500;
  auto small = spawn(a, at_a, settings);
  auto check = [&](std::size_t key, std::size_t value, std::string field,
                   std::string bound) {
    auto result = set(small, std::string(key, 'k'), std::string(value, 'v'));
    CAF_REQUIRE(!result);
    auto view = describe(result.error());
    CAF_CHECK(view.code == errc::too_large);
    CAF_CHECK_EQUAL(view.field, field);
    CAF_CHECK_NOT_EQUAL(view.detail.find(bound), std::string::npos);
  };
  check(11, 1, "key", "10 bytes");
  check(10, 2001, "value", "2000 bytes");
  check(10, 1999, "value", "1500 bytes");
  CAF_CHECK(set(small, std::string(10, 'k'), std::string(1000, 'v')));
  caf::anon_send_exit(small, caf::exit_reason::kill);
}

CAF_TEST(clearing removes everything) {
  assign(1, a);
  for (int i = 0; i < 100; ++i)
    set(at_a.shard, std::to_string(i), "value");
  CAF_CHECK_EQUAL(count(at_a.shard, cache_clear{}), 100u);
  CAF_CHECK_EQUAL(get(at_a.shard, "1"), "not_found");
}

CAF_TEST(figures are counted) {
  assign(1, a);
  set(at_a.shard, "key", "value");
  get(at_a.shard, "key");
  get(at_a.shard, "other");
  auto figures = stats(at_a.shard);
  CAF_CHECK_EQUAL(figures.hits, 1u);
  CAF_CHECK_EQUAL(figures.misses, 1u);
  CAF_CHECK_EQUAL(figures.sets, 1u);
  CAF_CHECK_EQUAL(figures.keys, 1u);
  CAF_CHECK_EQUAL(figures.max_bytes, cache_shard_config{}.max_bytes);
  CAF_CHECK_EQUAL(detail(at_a.shard, "keys"), "1");
}

CAF_TEST(entries follow their slots to the new owner) {
  assign(1, a);
  for (int i = 0; i < 5000; ++i)
    set(at_a.shard, std::to_string(i), "value " + std::to_string(i),
        i % 2 == 0 ? no_ttl : 60'000);
  assign(2, b);
  elapse(1s);
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 0u);
  CAF_CHECK_EQUAL(stats(at_b.shard).keys, 5000u);
  for (int i = 0; i < 5000; i += 97)
    CAF_CHECK_EQUAL(get(at_b.shard, std::to_string(i)),
                    "value " + std::to_string(i));
  CAF_CHECK_EQUAL(detail(at_a.shard, "handed_over"), "5000");
  CAF_CHECK_EQUAL(detail(at_a.shard, "handing_over"), "false");
}

CAF_TEST(more than one batch goes over) {
  assign(1, a);
  for (int i = 0; i < 50; ++i)
    set(at_a.shard, std::to_string(i), std::string(50'000, 'x'));
  assign(2, b);
  elapse(1s);
  CAF_CHECK_EQUAL(stats(at_b.shard).keys, 50u);
  CAF_CHECK_EQUAL(stats(at_a.shard).used_bytes, 0u);
}

CAF_TEST(what the new owner got meanwhile is newer and stays) {
  assign(1, a);
  for (auto key : {"written", "deleted", "expired", "kept"})
    set(at_a.shard, key, "old");
  at_b.view->set(owned_by(2, b));
  set(at_b.shard, "written", "new");
  ask<cache_count>(at_b.shard, cache_delete{"deleted"});
  set(at_b.shard, "expired", "new", 0);
  at_a.view->set(owned_by(2, b));
  elapse(1s);
  CAF_CHECK_EQUAL(get(at_b.shard, "written"), "new");
  CAF_CHECK_EQUAL(get(at_b.shard, "deleted"), "not_found");
  CAF_CHECK_EQUAL(get(at_b.shard, "expired"), "not_found");
  CAF_CHECK_EQUAL(get(at_b.shard, "kept"), "old");
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 0u);
}

CAF_TEST(a key that is still under way is fetched from the old owner) {
  assign(1, a);
  set(at_a.shard, "key", "value", 60'000);
  set(at_a.shard, "deleted", "old");
  // The old owner hands nothing over: it does not know of the new table yet.
  at_b.view->set(owned_by(2, b));
  CAF_CHECK_EQUAL(get(at_b.shard, "key"), "value");
  CAF_CHECK_EQUAL(stats(at_b.shard).keys, 1u);
  CAF_CHECK_EQUAL(get(at_b.shard, "absent"), "not_found");
  ask<cache_count>(at_b.shard, cache_delete{"deleted"});
  CAF_CHECK_EQUAL(get(at_b.shard, "deleted"), "not_found");
  at_a.view->set(owned_by(2, b));
  elapse(1s);
  auto kept = ask<cache_value>(at_b.shard, cache_get{"key"});
  CAF_REQUIRE(kept);
  CAF_CHECK_EQUAL(kept->bytes, "value");
  CAF_CHECK_EQUAL(kept->ttl_ms, 59'000);
}

CAF_TEST(an old owner that is gone or silent leaves a miss) {
  assign(1, a);
  set(at_a.shard, "key", "value");
  at_b.view->set(owned_by(2, b));
  at_b.names->erase_peer(a);
  CAF_CHECK_EQUAL(get(at_b.shard, "key"), "not_found");
  auto silent = sys.spawn([](caf::event_based_actor* actor) -> caf::behavior {
    return {[actor](const cache_peek&) {
      return actor->make_response_promise<cache_value>();
    }};
  });
  at_b.names->put_peer(
    a, {{"cache_shard/0", caf::actor_cast<caf::strong_actor_ptr>(silent)}});
  consume_messages();
  auto answer = self->request(at_b.shard, caf::infinite, cache_get{"key"});
  consume_messages();
  elapse(1s);
  answer.receive([](const cache_value&) { CAF_ERROR("nobody has it"); },
                 [](const caf::error& failure) {
                   CAF_CHECK(describe(failure).code == errc::not_found);
                 });
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

CAF_TEST(an old owner is not asked for ever) {
  assign(1, a);
  set(at_a.shard, "key", "value");
  at_b.view->set(owned_by(2, b));
  elapse(std::chrono::seconds{import_guard::handover_time} + 1s, 100ms);
  CAF_CHECK_EQUAL(get(at_b.shard, "key"), "not_found");
}

CAF_TEST(a cleared cache stays clear) {
  assign(1, a);
  set(at_a.shard, "key", "old");
  at_b.view->set(owned_by(2, b));
  ask<cache_count>(at_b.shard, cache_clear{});
  at_a.view->set(owned_by(2, b));
  elapse(1s);
  CAF_CHECK_EQUAL(get(at_b.shard, "key"), "not_found");
}

CAF_TEST(a new owner that does not know of it yet gets the entries later) {
  assign(1, a);
  set(at_a.shard, "key", "value");
  at_a.view->set(owned_by(2, b));
  elapse(250ms);
  CAF_CHECK_EQUAL(stats(at_b.shard).keys, 0u);
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 1u);
  at_b.view->set(owned_by(2, b));
  elapse(2s);
  CAF_CHECK_EQUAL(get(at_b.shard, "key"), "value");
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 0u);
}

CAF_TEST(an owner that can not be reached is given up) {
  at_a.names->erase_peer(b);
  assign(1, a);
  set(at_a.shard, "key", "value");
  assign(2, b);
  elapse(5s);
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 1u);
  elapse(10s);
  CAF_CHECK_EQUAL(stats(at_a.shard).keys, 0u);
  CAF_CHECK_EQUAL(detail(at_a.shard, "given_up"), "1");
}

CAF_TEST(entries stay when their slots come back in time) {
  at_a.names->erase_peer(b);
  assign(1, a);
  set(at_a.shard, "key", "value");
  assign(2, b);
  elapse(3s);
  assign(3, a);
  elapse(20s, 100ms);
  CAF_CHECK_EQUAL(get(at_a.shard, "key"), "value");
}

CAF_TEST(an import takes only what belongs here) {
  assign(1, b);
  cache_import batch{1, {{"key", "value", value_encoding::raw, no_ttl}}};
  CAF_CHECK_EQUAL(count(at_a.shard, batch), 0u);
  CAF_CHECK_EQUAL(count(at_b.shard, batch), 1u);
  CAF_CHECK_EQUAL(count(at_b.shard, batch), 0u);
  batch.epoch = 2;
  auto early = ask<cache_count>(at_b.shard, batch);
  CAF_CHECK(describe(early.error()).code == errc::unavailable);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a config with impossible values is refused) {
  cache_shard_config good;
  good.self = a;
  CAF_CHECK(!good.validate());
  auto field = [&](auto change) {
    auto wrong = good;
    change(wrong);
    return describe(wrong.validate()).field;
  };
  CAF_CHECK_EQUAL(field([](auto& x) { x.self = member_id::none; }), "self");
  CAF_CHECK_EQUAL(field([](auto& x) { x.index = 1; }), "index");
  CAF_CHECK_EQUAL(field([](auto& x) { x.shards = 0; }), "index");
  CAF_CHECK_EQUAL(field([](auto& x) { x.max_entries = 0; }), "max_entries");
  CAF_CHECK_EQUAL(field([](auto& x) { x.max_bytes = 0; }), "max_bytes");
  CAF_CHECK_EQUAL(field([](auto& x) { x.max_key_bytes = 1 << 24; }),
                  "max_key_bytes");
  CAF_CHECK_EQUAL(field([](auto& x) { x.max_value_bytes = 1ull << 32; }),
                  "max_value_bytes");
  CAF_CHECK_EQUAL(field([](auto& x) { x.sweep_interval = 0ms; }),
                  "sweep_interval");
  CAF_CHECK_EQUAL(field([](auto& x) { x.retry_interval = 0ms; }),
                  "retry_interval");
}

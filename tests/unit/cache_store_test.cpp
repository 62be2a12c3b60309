#define CAF_SUITE cache_store

#include "actors/cache_shard/store.hpp"

#include <map>
#include <random>

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using time_point = store::time_point;

constexpr auto raw = value_encoding::raw;
constexpr std::uint64_t plenty = 1ull << 40;

const time_point start{1000h};

std::string value_of(const entry* x) {
  return x ? std::string{x->value()} : "(none)";
}

std::string key_of(int i) {
  return "key:" + std::to_string(i);
}

struct fixture {
  store entries{{1'000'000, plenty}};
  time_point now = start;

  void set(std::string_view key, std::string_view value,
           std::int64_t ttl_ms = no_ttl) {
    CAF_REQUIRE(entries.set(key, value, raw, ttl_ms, now));
  }

  std::string get(std::string_view key) {
    return value_of(entries.find(key, now));
  }
};

/// What `used_bytes` should be, counted entry by entry.
std::uint64_t counted_bytes(const store& entries) {
  std::uint64_t result = 0;
  entries.visit(0, entries.positions(), [&](std::size_t, const entry& x) {
    result += store::footprint(x);
    return true;
  });
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(store_tests, fixture)

CAF_TEST(a value is found until it is replaced or erased) {
  CAF_CHECK_EQUAL(get("a"), "(none)");
  set("a", "1");
  set("b", "2");
  CAF_CHECK_EQUAL(get("a"), "1");
  set("a", "3");
  CAF_CHECK_EQUAL(get("a"), "3");
  set("a", "a longer one");
  CAF_CHECK_EQUAL(get("a"), "a longer one");
  CAF_CHECK_EQUAL(get("b"), "2");
  CAF_CHECK(entries.erase("a", now));
  CAF_CHECK(!entries.erase("a", now));
  CAF_CHECK_EQUAL(get("a"), "(none)");
  CAF_CHECK_EQUAL(entries.size(), 1u);
}

CAF_TEST(keys and values are any bytes) {
  set("", "");
  set(std::string("a\0b", 3), std::string("\0\xff", 2));
  set("a", std::string(1'000'000, 'x'));
  CAF_CHECK_EQUAL(get(""), "");
  CAF_CHECK_EQUAL(get(std::string("a\0b", 3)), std::string("\0\xff", 2));
  CAF_CHECK_EQUAL(get("a").size(), 1'000'000u);
}

CAF_TEST(the encoding stays with the value) {
  entries.set("a", "1", value_encoding::json, no_ttl, now);
  CAF_CHECK(entries.find("a", now)->encoding() == value_encoding::json);
  set("a", "2");
  CAF_CHECK(entries.find("a", now)->encoding() == value_encoding::raw);
}

CAF_TEST(an entry expires exactly when its time is over) {
  set("a", "1", 1000);
  now = start + 1000ms - 1ns;
  CAF_CHECK_EQUAL(get("a"), "1");
  CAF_CHECK_EQUAL(entries.find("a", now)->ttl_ms(now), 1);
  CAF_CHECK(entries.contains("a", now));
  now = start + 1000ms;
  CAF_CHECK(!entries.contains("a", now));
  CAF_CHECK_EQUAL(get("a"), "(none)");
  CAF_CHECK_EQUAL(entries.stats().expirations, 1u);
  CAF_CHECK_EQUAL(entries.size(), 0u);
  CAF_CHECK_EQUAL(entries.stats().used_bytes, 0u);
}

CAF_TEST(a new value brings its own time to live) {
  set("a", "1", 1000);
  set("a", "2");
  now += 1h;
  CAF_CHECK_EQUAL(get("a"), "2");
  CAF_CHECK_EQUAL(entries.find("a", now)->ttl_ms(now), no_ttl);
  set("a", "3", 10);
  now += 10ms;
  CAF_CHECK_EQUAL(get("a"), "(none)");
}

CAF_TEST(a time to live of zero or below expires at once) {
  for (std::int64_t ttl : {std::int64_t{0}, std::int64_t{-2}, INT64_MIN}) {
    set("a", "1");
    set("a", "2", ttl);
    CAF_CHECK_EQUAL(get("a"), "(none)");
    CAF_CHECK_EQUAL(entries.size(), 0u);
  }
}

CAF_TEST(the longest time to live does not overflow) {
  set("a", "1", INT64_MAX);
  now += 24h * 300;
  CAF_CHECK_EQUAL(get("a"), "1");
  CAF_CHECK_GREATER(entries.find("a", now)->ttl_ms(now), 0);
}

CAF_TEST(an erased entry that had expired was not there) {
  set("a", "1", 5);
  now += 5ms;
  CAF_CHECK(!entries.erase("a", now));
}

CAF_TEST(clearing leaves nothing behind) {
  for (int i = 0; i < 1000; ++i)
    set(key_of(i), "x", i % 2 == 0 ? no_ttl : 1000);
  CAF_CHECK_EQUAL(entries.clear(), 1000u);
  CAF_CHECK_EQUAL(entries.size(), 0u);
  CAF_CHECK_EQUAL(entries.stats().used_bytes, 0u);
  CAF_CHECK_EQUAL(get(key_of(1)), "(none)");
  set("a", "1");
  CAF_CHECK_EQUAL(get("a"), "1");
}

CAF_TEST(a sweep does bounded work and goes round) {
  for (int i = 0; i < 1000; ++i)
    set(key_of(i), "x", 10);
  CAF_CHECK_EQUAL(entries.sweep(1000, now), 0u);
  now += 10ms;
  CAF_CHECK_EQUAL(entries.sweep(300, now), 300u);
  CAF_CHECK_EQUAL(entries.sweep(300, now), 300u);
  CAF_CHECK_EQUAL(entries.sweep(300, now), 300u);
  set("a", "1");
  CAF_CHECK_EQUAL(entries.sweep(300, now), 100u);
  CAF_CHECK_EQUAL(entries.size(), 1u);
  CAF_CHECK_EQUAL(get("a"), "1");
}

CAF_TEST(hits and misses are counted) {
  set("a", "1");
  get("a");
  get("a");
  get("b");
  CAF_CHECK_EQUAL(entries.stats().hits, 2u);
  CAF_CHECK_EQUAL(entries.stats().misses, 1u);
  CAF_CHECK_EQUAL(entries.stats().sets, 1u);
}

CAF_TEST(visiting in chunks sees each entry once) {
  for (int i = 0; i < 100; ++i)
    set(key_of(i), "x");
  for (int i = 0; i < 100; i += 3)
    entries.erase(key_of(i), now);
  std::set<std::string> seen;
  for (std::size_t at = 0; at < entries.positions();)
    at = entries.visit(at, at + 7, [&](std::size_t, const entry& x) {
      CAF_CHECK(seen.emplace(x.key()).second);
      return true;
    });
  CAF_CHECK_EQUAL(seen.size(), entries.size());
}

CAF_TEST(visiting goes on from the refused entry) {
  for (int i = 0; i < 10; ++i)
    set(key_of(i), "x");
  int calls = 0;
  auto third = [&](std::size_t, const entry&) { return ++calls < 3; };
  auto at = entries.visit(0, 10, third);
  CAF_CHECK_EQUAL(at, 2u);
  entries.drop(at);
  CAF_CHECK_EQUAL(entries.size(), 9u);
  CAF_CHECK_EQUAL(entries.stats().deletes, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(the entries never pass max_entries) {
  store entries{{100, plenty}};
  for (int i = 0; i < 1000; ++i) {
    entries.set(key_of(i), "x", raw, no_ttl, start);
    CAF_REQUIRE_LESS_OR_EQUAL(entries.size(), 100u);
    CAF_REQUIRE(entries.find(key_of(i), start) != nullptr);
  }
  CAF_CHECK_EQUAL(entries.size(), 100u);
  CAF_CHECK_EQUAL(entries.stats().evictions, 900u);
  CAF_CHECK_EQUAL(entries.positions(), 100u);
}

CAF_TEST(a single entry can be all there is) {
  store entries{{1, plenty}};
  for (int i = 0; i < 10; ++i) {
    entries.set(key_of(i), "x", raw, no_ttl, start);
    entries.set(key_of(i), "longer", raw, no_ttl, start);
    CAF_CHECK_EQUAL(value_of(entries.find(key_of(i), start)), "longer");
  }
  CAF_CHECK_EQUAL(entries.size(), 1u);
}

CAF_TEST(the bytes never pass max_bytes and are counted exactly) {
  constexpr std::uint64_t bound = 20'000;
  store entries{{1'000'000, bound}};
  std::mt19937 random{1};
  for (int i = 0; i < 5000; ++i) {
    std::string value(random() % 3000, 'x');
    auto ttl = random() % 2 == 0 ? no_ttl : std::int64_t{1000};
    CAF_REQUIRE(entries.set(key_of(random() % 100), value, raw, ttl, start));
    CAF_REQUIRE_LESS_OR_EQUAL(entries.stats().used_bytes, bound);
    CAF_REQUIRE_EQUAL(entries.stats().used_bytes, counted_bytes(entries));
  }
  CAF_CHECK_GREATER(entries.stats().evictions, 0u);
}

CAF_TEST(what can not fit is refused and changes nothing) {
  auto most = store::footprint(1, 100, false);
  store entries{{10, most}};
  CAF_CHECK(entries.set("a", std::string(100, '1'), raw, no_ttl, start));
  CAF_CHECK(!entries.set("a", std::string(101, '2'), raw, no_ttl, start));
  CAF_CHECK(!entries.set("b", std::string(100, '2'), raw, 1000, start));
  CAF_CHECK_EQUAL(value_of(entries.find("a", start)), std::string(100, '1'));
  CAF_CHECK(entries.set("b", std::string(100, '2'), raw, no_ttl, start));
  CAF_CHECK_EQUAL(entries.size(), 1u);
}

CAF_TEST(entries in use outlive a scan) {
  store entries{{1000, plenty}};
  auto use = [&](int from, int to) {
    for (int i = from; i < to; ++i)
      if (!entries.find(key_of(i), start))
        entries.set(key_of(i), "x", raw, no_ttl, start);
  };
  use(0, 500);
  use(0, 500);
  use(10'000, 20'000);
  auto hits = entries.stats().hits;
  use(0, 500);
  CAF_CHECK_EQUAL(entries.stats().hits - hits, 500u);
}

CAF_TEST(what comes back soon after its eviction stays) {
  store entries{{100, plenty}};
  int next = 0;
  auto fill = [&](int count) {
    for (int i = 0; i < count; ++i)
      entries.set(key_of(next++), "x", raw, no_ttl, start);
  };
  entries.set("a", "1", raw, no_ttl, start);
  fill(100);
  CAF_CHECK(!entries.contains("a", start));
  entries.set("a", "1", raw, no_ttl, start);
  fill(500);
  CAF_CHECK(entries.contains("a", start));
}

CAF_TEST(expired entries go before live ones are counted as evicted) {
  store entries{{100, plenty}};
  for (int i = 0; i < 100; ++i)
    entries.set(key_of(i), "x", raw, 10, start);
  for (int i = 100; i < 200; ++i)
    entries.set(key_of(i), "x", raw, no_ttl, start + 10ms);
  CAF_CHECK_EQUAL(entries.stats().evictions, 0u);
  CAF_CHECK_EQUAL(entries.stats().expirations, 100u);
}

namespace {

struct model_value {
  std::string bytes;
  std::optional<time_point> deadline;
};

/// Random commands on a store and on a plain map. An evicting store may have
/// lost a value, but never shows a wrong one.
void compare_with_model(unsigned seed, store_limits limits, bool evicts) {
  store entries{limits};
  std::map<std::string, model_value> model;
  std::mt19937 random{seed};
  auto now = start;
  auto live = [&](const std::string& key) {
    auto i = model.find(key);
    return i != model.end()
               && (!i->second.deadline || *i->second.deadline > now)
             ? &i->second
             : nullptr;
  };
  for (int step = 0; step < 20'000; ++step) {
    auto key = key_of(static_cast<int>(random() % 300));
    switch (random() % 10) {
      case 0:
      case 1:
      case 2: {
        std::string bytes(random() % 50, static_cast<char>('a' + step % 26));
        std::int64_t ttl = random() % 3 == 0 ? random() % 200 : no_ttl;
        CAF_REQUIRE(entries.set(key, bytes, raw, ttl, now));
        model[key] = {bytes, std::nullopt};
        if (ttl != no_ttl)
          model[key].deadline = now + std::chrono::milliseconds{ttl};
        break;
      }
      case 3: {
        auto expected = live(key) != nullptr;
        auto erased = entries.erase(key, now);
        CAF_REQUIRE(evicts ? erased <= expected : erased == expected);
        model.erase(key);
        break;
      }
      case 4:
        now += std::chrono::milliseconds{random() % 5};
        break;
      case 5:
        entries.sweep(random() % 20, now);
        break;
      case 6:
        if (random() % 500 == 0) {
          entries.clear();
          model.clear();
        }
        break;
      default: {
        auto* found = entries.find(key, now);
        auto* expected = live(key);
        if (found)
          CAF_REQUIRE(expected && found->value() == expected->bytes);
        else
          CAF_REQUIRE(evicts || !expected);
      }
    }
    CAF_REQUIRE_LESS_OR_EQUAL(entries.size(), limits.max_entries);
    CAF_REQUIRE_LESS_OR_EQUAL(entries.stats().used_bytes, limits.max_bytes);
  }
  CAF_CHECK_EQUAL(entries.stats().used_bytes, counted_bytes(entries));
  CAF_CHECK_EQUAL(entries.stats().evictions > 0, evicts);
}

} // namespace

CAF_TEST(a store that never evicts is a map) {
  for (unsigned seed = 0; seed < 4; ++seed)
    compare_with_model(seed, {1000, plenty}, false);
}

CAF_TEST(a store that evicts never shows a wrong value) {
  for (unsigned seed = 0; seed < 4; ++seed) {
    compare_with_model(seed, {50, plenty}, true);
    compare_with_model(seed, {1000, 5000}, true);
  }
}

CAF_TEST(the ghost queue remembers a window of evictions) {
  ghost_queue ghosts;
  auto hash = [](int i) { return store::hash(key_of(i)); };
  CAF_CHECK(!ghosts.take(hash(0)));
  for (int i = 0; i < 1000; ++i)
    ghosts.insert(hash(i), 100);
  int remembered = 0;
  for (int i = 0; i < 1000; ++i) {
    bool recent = ghosts.take(hash(i));
    CAF_REQUIRE(!recent || i >= 900);
    remembered += recent ? 1 : 0;
  }
  CAF_CHECK_GREATER(remembered, 80);
  CAF_CHECK(!ghosts.take(hash(999)));
}

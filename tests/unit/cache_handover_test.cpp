#define CAF_SUITE cache_handover

#include "actors/cache_shard/handover.hpp"

#include <map>

#include <caf/test/dsl.hpp>

#include "actors/cache_shard/import_guard.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto a = member_id{1};
constexpr auto b = member_id{2};

/// Entries `a:...` and `b:...` belong to those nodes, all others stay.
std::optional<shard_address> by_prefix(std::string_view key) {
  if (key.starts_with("a:"))
    return shard_address{a, 0};
  if (key.starts_with("b:"))
    return shard_address{b, 1};
  return std::nullopt;
}

struct fixture {
  store entries{{1'000'000, 1ull << 40}};
  handover aut;
  store::time_point now{1h};

  void fill(const std::string& prefix, int count, std::size_t size = 10) {
    for (int i = 0; i < count; ++i)
      entries.set(prefix + std::to_string(i), std::string(size, 'x'),
                  value_encoding::raw, no_ttl, now);
  }

  /// Steps until a batch comes or nothing is left to do.
  std::optional<handover::batch> next() {
    while (aut.ready(now))
      if (auto batch = aut.next(entries, by_prefix, now))
        return batch;
    return std::nullopt;
  }

  /// Runs it to its end with a receiver that takes all. Returns the number of
  /// entries by destination.
  std::map<shard_address, std::size_t> run() {
    std::map<shard_address, std::size_t> result;
    while (auto batch = next()) {
      result[batch->to] += batch->entries.size();
      aut.acknowledged(entries, by_prefix);
    }
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(handover_tests, fixture)

CAF_TEST(nothing happens before it starts) {
  fill("a:", 10);
  CAF_CHECK(!aut.active());
  CAF_CHECK(!aut.next(entries, by_prefix, now));
}

CAF_TEST(every entry goes to its owner and the others stay) {
  fill("a:", 10'000);
  fill("b:", 5'000);
  fill("mine:", 7'000);
  aut.start();
  auto sent = run();
  CAF_CHECK_EQUAL((sent[{a, 0}]), 10'000u);
  CAF_CHECK_EQUAL((sent[{b, 1}]), 5'000u);
  CAF_CHECK_EQUAL(entries.size(), 7'000u);
  CAF_CHECK_EQUAL(aut.sent(), 15'000u);
  CAF_CHECK(!aut.active());
}

CAF_TEST(a batch is bounded but never empty) {
  fill("a:", 100, 10'000);
  fill("a:large", 3, handover::batch_bytes * 2);
  aut.start();
  std::size_t total = 0;
  while (auto batch = next()) {
    std::size_t bytes = 0;
    for (auto& x : batch->entries)
      bytes += x.bytes.size();
    CAF_CHECK(bytes <= handover::batch_bytes || batch->entries.size() == 1);
    total += batch->entries.size();
    aut.acknowledged(entries, by_prefix);
  }
  CAF_CHECK_EQUAL(total, 103u);
}

CAF_TEST(one step looks at a bounded number of entries) {
  fill("mine:", static_cast<int>(handover::positions_per_step) * 3);
  aut.start();
  int steps = 0;
  while (aut.active()) {
    CAF_CHECK(!aut.next(entries, by_prefix, now));
    ++steps;
  }
  CAF_CHECK_EQUAL(steps, 3);
}

CAF_TEST(an entry carries what is left of its time) {
  entries.set("a:1", "x", value_encoding::json, 1000, now);
  entries.set("a:2", "x", value_encoding::raw, 10, now);
  now += 400ms;
  aut.start();
  auto batch = next();
  CAF_REQUIRE(batch);
  CAF_REQUIRE_EQUAL(batch->entries.size(), 1u);
  CAF_CHECK_EQUAL(batch->entries[0].ttl_ms, 600);
  CAF_CHECK(batch->entries[0].encoding == value_encoding::json);
}

CAF_TEST(entries are kept until the ack) {
  fill("a:", 10);
  aut.start();
  auto first = next();
  CAF_REQUIRE(first);
  CAF_CHECK(!aut.ready(now));
  CAF_CHECK_EQUAL(entries.size(), 10u);
  aut.failed(now);
  CAF_CHECK_EQUAL(entries.size(), 10u);
  CAF_CHECK(!next());
  now += 100ms;
  auto second = next();
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(second->entries.size(), 10u);
  aut.acknowledged(entries, by_prefix);
  CAF_CHECK_EQUAL(entries.size(), 0u);
}

CAF_TEST(an owner that never answers is given up and the others are served) {
  fill("a:", 100);
  fill("b:", 100);
  fill("mine:", 100);
  aut.start();
  std::uint32_t failures = 0;
  auto began = now;
  while (aut.active() && now < began + 60s) {
    auto batch = next();
    if (!batch) {
      now += 10ms;
    } else if (batch->to.node == a) {
      ++failures;
      aut.failed(now);
    } else {
      aut.acknowledged(entries, by_prefix);
    }
  }
  CAF_CHECK(!aut.active());
  CAF_CHECK_EQUAL(failures, handover::max_attempts);
  CAF_CHECK_LESS(now - began, 15s);
  CAF_CHECK_EQUAL(aut.dropped(), 100u);
  CAF_CHECK_EQUAL(aut.sent(), 100u);
  CAF_CHECK_EQUAL(entries.size(), 100u);
}

CAF_TEST(a new table while a batch is under way is looked at after it) {
  fill("a:", 10);
  aut.start();
  CAF_REQUIRE(next());
  // Meanwhile the slots of `a` came back here, and those of `mine` left.
  auto turned = [](std::string_view key) -> std::optional<shard_address> {
    if (key.starts_with("mine:"))
      return shard_address{b, 0};
    return std::nullopt;
  };
  fill("mine:", 5);
  aut.start();
  aut.acknowledged(entries, turned);
  CAF_CHECK_EQUAL(entries.size(), 15u);
  auto batch = aut.next(entries, turned, now);
  CAF_REQUIRE(batch);
  CAF_CHECK(batch->to == (shard_address{b, 0}));
  CAF_CHECK_EQUAL(batch->entries.size(), 5u);
}

CAF_TEST(a new table gives a lost owner another chance) {
  fill("a:", 1);
  aut.start();
  for (std::uint32_t i = 0; i < handover::max_attempts; ++i) {
    now += 10s;
    CAF_REQUIRE(next());
    aut.failed(now);
  }
  aut.start();
  CAF_CHECK(next());
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

slot_table table_of(std::uint64_t epoch, member_id owner) {
  slot_table result;
  result.epoch = epoch;
  result.nodes = {owner};
  result.owner.assign(slot_count, 0);
  return result;
}

} // namespace

CAF_TEST(what was written since the slots moved is not taken back) {
  import_guard guard;
  store::time_point now{1h};
  guard.touched(3, 77, now);
  CAF_CHECK(guard.admits(77));
  guard.slots_moved(table_of(1, b), table_of(2, a), a, now);
  guard.touched(3, 77, now);
  CAF_CHECK(!guard.admits(77));
  CAF_CHECK(guard.admits(78));
}

CAF_TEST(nothing is remembered of slots that were here before) {
  import_guard guard;
  store::time_point now{1h};
  guard.slots_moved({}, table_of(1, a), a, now);
  guard.touched(3, 77, now);
  CAF_CHECK(guard.admits(77));
  guard.slots_moved(table_of(1, a), table_of(2, a), a, now);
  guard.touched(3, 77, now);
  CAF_CHECK(guard.admits(77));
}

CAF_TEST(a node that missed a table may have gained every slot) {
  store::time_point now{1h};
  for (const auto& before : {slot_table{}, table_of(1, a)}) {
    import_guard guard;
    guard.slots_moved(before, table_of(5, a), a, now);
    guard.touched(3, 77, now);
    CAF_CHECK(!guard.admits(77));
  }
}

CAF_TEST(nothing is taken after a clear) {
  import_guard guard;
  guard.cleared();
  CAF_CHECK(guard.admits(1));
  guard.slots_moved(table_of(1, b), table_of(2, a), a, {});
  guard.cleared();
  CAF_CHECK(!guard.admits(1));
}

CAF_TEST(the memory is bounded in number and time) {
  import_guard guard;
  store::time_point now{1h};
  guard.slots_moved(table_of(1, b), table_of(2, a), a, now);
  for (std::uint64_t i = 0; i < import_guard::max_touched; ++i)
    guard.touched(3, i, now);
  CAF_CHECK(guard.admits(import_guard::max_touched));
  guard.touched(3, import_guard::max_touched, now);
  CAF_CHECK(!guard.admits(import_guard::max_touched + 1));
  guard.touched(3, 5, now + import_guard::window);
  CAF_CHECK(guard.admits(5));
}

#define CAF_SUITE slot_planner

#include "discovery/slots/slot_planner.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

std::vector<member_id> nodes(std::vector<std::uint64_t> ids) {
  std::vector<member_id> result;
  result.reserve(ids.size());
  for (auto id : ids)
    result.push_back(member_id{id});
  return result;
}

slot_table plan(const slot_table& current, std::vector<member_id> live) {
  auto result = plan_slots(current, std::move(live));
  CAF_REQUIRE(result);
  return *result;
}

std::map<member_id, std::uint32_t> sizes(const slot_table& table) {
  std::map<member_id, std::uint32_t> result;
  for (auto node : table.nodes)
    result[node] = 0;
  for (std::uint32_t slot = 0; slot < slot_count; ++slot)
    ++result[table.owner_of(slot)];
  return result;
}

std::uint32_t moves(const slot_table& from, const slot_table& to) {
  std::uint32_t result = 0;
  for (std::uint32_t slot = 0; slot < slot_count; ++slot)
    if (from.owner_of(slot) != to.owner_of(slot))
      ++result;
  return result;
}

/// The fewest moves that make `live` even: no plan can keep more slots of a
/// node than its share, and the larger shares are best with the largest.
std::uint32_t fewest_moves(const slot_table& from,
                           const std::vector<member_id>& live) {
  auto held = sizes(from);
  std::vector<std::uint32_t> kept;
  kept.reserve(live.size());
  for (auto node : live)
    kept.push_back(held.contains(node) ? held[node] : 0);
  std::sort(kept.rbegin(), kept.rend());
  auto count = static_cast<std::uint32_t>(live.size());
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < count; ++i)
    total +=
      std::min(kept[i], slot_count / count + (i < slot_count % count ? 1 : 0));
  return slot_count - total;
}

void check_even(const slot_table& table, std::size_t count) {
  auto by_node = sizes(table);
  CAF_REQUIRE_EQUAL(table.owner.size(), slot_count);
  CAF_REQUIRE_EQUAL(by_node.size(), count);
  auto [least, most] =
    std::minmax_element(by_node.begin(), by_node.end(),
                        [](auto& x, auto& y) { return x.second < y.second; });
  CAF_REQUIRE_LESS_OR_EQUAL(most->second - least->second, 1u);
}

} // namespace

CAF_TEST(no node gets no table) {
  CAF_CHECK(!plan_slots({}, {}));
  CAF_CHECK(!plan_slots(plan({}, nodes({1})), {}));
}

CAF_TEST(the first table gives each node its share) {
  auto table = plan({}, nodes({3, 1, 2}));
  CAF_CHECK_EQUAL(table.epoch, 1u);
  CAF_CHECK(table.nodes == nodes({1, 2, 3}));
  check_even(table, 3);
}

CAF_TEST(a table that is right is left alone) {
  auto table = plan({}, nodes({1, 2, 3}));
  CAF_CHECK(!plan_slots(table, nodes({3, 2, 1})));
  CAF_CHECK(!plan_slots(table, nodes({3, 2, 1, 1})));
}

CAF_TEST(a new node takes its share and nothing else moves) {
  auto before = plan({}, nodes({1, 2}));
  auto after = plan(before, nodes({1, 2, 3}));
  CAF_CHECK_EQUAL(after.epoch, 2u);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot)
    if (before.owner_of(slot) != after.owner_of(slot))
      CAF_REQUIRE(after.owner_of(slot) == member_id{3});
  CAF_CHECK_EQUAL(moves(before, after), slot_count / 3);
}

CAF_TEST(only the slots of a dead node move) {
  auto before = plan({}, nodes({1, 2, 3}));
  auto after = plan(before, nodes({1, 3}));
  for (std::uint32_t slot = 0; slot < slot_count; ++slot)
    if (before.owner_of(slot) != member_id{2})
      CAF_REQUIRE(before.owner_of(slot) == after.owner_of(slot));
}

CAF_TEST(all nodes may be replaced at once) {
  auto before = plan({}, nodes({1, 2}));
  auto after = plan(before, nodes({8, 9}));
  check_even(after, 2);
  CAF_CHECK_EQUAL(moves(before, after), slot_count);
}

CAF_TEST(an uneven or broken table is mended) {
  slot_table broken;
  broken.epoch = 4;
  broken.nodes = nodes({1, 2});
  broken.owner.assign(100, 7);
  auto table = plan(broken, nodes({1, 2}));
  check_even(table, 2);
  CAF_CHECK_EQUAL(table.epoch, 5u);
  slot_table uneven = table;
  uneven.owner.assign(slot_count, 0);
  auto even = plan(uneven, nodes({1, 2}));
  check_even(even, 2);
  CAF_CHECK_EQUAL(moves(uneven, even), slot_count / 2);
}

CAF_TEST(random memberships get even tables with the fewest moves) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    std::mt19937 random{seed};
    slot_table table;
    for (int round = 0; round < 20; ++round) {
      std::vector<member_id> live;
      for (std::uint64_t id = 1; id <= 12; ++id)
        if (random() % 2 == 0)
          live.push_back(member_id{id});
      auto fewest = live.empty() ? 0 : fewest_moves(table, live);
      auto ordered = plan_slots(table, live);
      std::shuffle(live.begin(), live.end(), random);
      auto shuffled = plan_slots(table, live);
      CAF_REQUIRE_EQUAL(ordered.has_value(), shuffled.has_value());
      if (!ordered)
        continue;
      CAF_REQUIRE(ordered->owner == shuffled->owner);
      CAF_REQUIRE(ordered->nodes == shuffled->nodes);
      CAF_REQUIRE_EQUAL(ordered->epoch, table.epoch + 1);
      check_even(*ordered, live.size());
      CAF_REQUIRE_EQUAL(moves(table, *ordered), fewest);
      CAF_REQUIRE(!plan_slots(*ordered, live));
      table = *ordered;
    }
  }
}

CAF_TEST(more nodes than slots leave some without) {
  std::vector<member_id> live;
  for (std::uint64_t id = 1; id <= slot_count + 10; ++id)
    live.push_back(member_id{id});
  check_even(plan({}, live), live.size());
}

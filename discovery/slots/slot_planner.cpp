#include "discovery/slots/slot_planner.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// No node of the new table.
constexpr std::uint32_t nobody = UINT32_MAX;

/// Each slot's present owner as an index into `live`, or `nobody`.
std::vector<std::uint32_t> present_owners(const slot_table& current,
                                          const std::vector<member_id>& live) {
  std::vector<std::uint32_t> index_of(current.nodes.size(), nobody);
  for (std::size_t i = 0; i < current.nodes.size(); ++i) {
    auto at = std::lower_bound(live.begin(), live.end(), current.nodes[i]);
    if (at != live.end() && *at == current.nodes[i])
      index_of[i] = static_cast<std::uint32_t>(at - live.begin());
  }
  std::vector<std::uint32_t> result(slot_count, nobody);
  auto known = std::min<std::size_t>(slot_count, current.owner.size());
  for (std::size_t slot = 0; slot < known; ++slot)
    if (current.owner[slot] < index_of.size())
      result[slot] = index_of[current.owner[slot]];
  return result;
}

/// How many slots each node is to have. The shares that are one larger go to
/// those that hold the most now: each of them keeps one slot more.
std::vector<std::uint32_t> even_shares(const std::vector<std::uint32_t>& held) {
  auto nodes = static_cast<std::uint32_t>(held.size());
  std::vector<std::uint32_t> by_size(nodes);
  for (std::uint32_t i = 0; i < nodes; ++i)
    by_size[i] = i;
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](auto a, auto b) { return held[a] > held[b]; });
  std::vector<std::uint32_t> result(nodes, slot_count / nodes);
  for (std::uint32_t i = 0; i < slot_count % nodes; ++i)
    ++result[by_size[i]];
  return result;
}

} // namespace

std::optional<slot_table> plan_slots(const slot_table& current,
                                     std::vector<member_id> live) {
  std::sort(live.begin(), live.end());
  live.erase(std::unique(live.begin(), live.end()), live.end());
  if (live.empty())
    return std::nullopt;
  auto owner = present_owners(current, live);
  std::vector<std::uint32_t> held(live.size(), 0);
  for (auto node : owner)
    if (node != nobody)
      ++held[node];
  auto share = even_shares(held);
  // A slot stays where it is unless its node is gone or has too many.
  auto room = share;
  std::vector<std::uint16_t> homeless;
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    auto node = owner[slot];
    if (node != nobody && room[node] > 0)
      --room[node];
    else
      homeless.push_back(static_cast<std::uint16_t>(slot));
  }
  if (homeless.empty() && current.nodes == live)
    return std::nullopt;
  slot_table result;
  result.epoch = current.epoch + 1;
  std::uint32_t next = 0;
  for (auto slot : homeless) {
    while (room[next] == 0)
      ++next;
    --room[next];
    owner[slot] = next;
  }
  result.owner.assign(owner.begin(), owner.end());
  result.nodes = std::move(live);
  return result;
}

} // namespace troupe

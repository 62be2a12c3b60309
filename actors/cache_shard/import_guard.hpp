#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "messages/cluster_state.hpp"

namespace troupe {

/// Keeps handed-over entries from undoing what happened here since the slots
/// moved: a key that was written, deleted or cleared on the new owner must not
/// come back with its old value. Remembers such keys, by hash, while old owners
/// may still send, and who those owners are.
class import_guard {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Longest time that an old owner goes on sending.
  static constexpr std::chrono::seconds window{60};
  /// How long an old owner may have a key that it has not sent yet.
  static constexpr std::chrono::seconds handover_time{10};
  /// Keys remembered at most; after that nothing more is admitted.
  static constexpr std::size_t max_touched = 1u << 18;

  /// A new table is here; `self` may have gained slots from other nodes.
  void slots_moved(const slot_table& before, const slot_table& now,
                   member_id self, time_point at);

  /// A key was written or deleted.
  void touched(std::uint32_t slot, std::uint64_t hash, time_point at) {
    if (until_ && gained_[slot])
      remember(hash, at);
  }

  /// Everything was removed.
  void cleared();

  bool admits(std::uint64_t hash) const;

  /// Who may have a key that is not here, because its slot was moved lately.
  std::optional<member_id> perhaps_at(std::uint32_t slot, std::uint64_t hash,
                                      time_point at) const {
    if (!until_ || at >= arrived_by_)
      return std::nullopt;
    return previous_owner(slot, hash);
  }

private:
  void remember(std::uint64_t hash, time_point at);
  std::optional<member_id> previous_owner(std::uint32_t slot,
                                          std::uint64_t hash) const;
  void forget();

  /// Set while keys are remembered.
  std::optional<time_point> until_;
  std::bitset<slot_count> gained_;
  /// Of gained slots, where it is known.
  absl::flat_hash_map<std::uint32_t, member_id> previous_;
  time_point arrived_by_{};
  absl::flat_hash_set<std::uint64_t> touched_;
  bool closed_ = false;
};

} // namespace troupe

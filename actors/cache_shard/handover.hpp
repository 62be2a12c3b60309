#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/cache_shard/store.hpp"
#include "messages/cache.hpp"
#include "messages/ids.hpp"

namespace troupe {

/// Who holds an entry by the present slot table.
struct shard_address {
  member_id node = member_id::none;
  std::uint32_t shard = 0;

  auto operator<=>(const shard_address&) const = default;
};

/// Moves the entries of lost slots to their new owners, in batches: one batch
/// is under way at a time, and its entries are removed here only after the ack.
/// One pass over the store serves one destination. A pure state machine: the
/// actor around it sends, and says what became of it.
class handover {
public:
  using time_point = entry::time_point;

  /// The owner of a key's slot; nothing: this very shard.
  using route = std::function<std::optional<shard_address>(std::string_view)>;

  static constexpr std::size_t batch_bytes = 256 << 10;
  /// Entries looked at in one `next`, so that no other message waits long.
  static constexpr std::size_t positions_per_step = 4096;
  /// Attempts for one batch; with the delays between them about 10 s.
  static constexpr std::uint32_t max_attempts = 8;

  struct batch {
    shard_address to;
    std::vector<cache_entry> entries;
  };

  /// Slots may have moved: looks at all entries again.
  void start();

  bool active() const noexcept { return active_; }

  /// Whether `next` would go on at once.
  bool ready(time_point now) const noexcept {
    return active_ && !under_way_ && now >= not_before_;
  }

  /// Entries sent and acknowledged, and given up, since the node's start.
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t dropped() const noexcept { return dropped_; }

  /// The next batch to send, if it is time for one and this step found any.
  /// Drops the entries of destinations that were given up.
  std::optional<batch> next(store& entries, const route& owner, time_point now);

  /// The batch arrived: its entries go, unless they belong here again.
  void acknowledged(store& entries, const route& owner);

  /// The batch did not arrive: it is sent again after a while, or its
  /// destination is given up.
  void failed(time_point now);

private:
  void end_of_pass();

  bool active_ = false;
  bool under_way_ = false;
  /// `start` came while a batch was under way.
  bool restart_ = false;
  std::size_t from_ = 0;
  /// Where this pass' entries go; the first one found decides.
  std::optional<shard_address> target_;
  /// This pass met entries for others.
  bool others_ = false;
  std::vector<std::string> keys_under_way_;
  /// Where the pass goes on after the ack.
  std::size_t resume_at_ = 0;
  std::uint32_t attempts_ = 0;
  time_point not_before_{};
  std::set<member_id> given_up_;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
};

} // namespace troupe

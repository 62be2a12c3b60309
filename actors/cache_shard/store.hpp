#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include <absl/container/flat_hash_set.h>

#include "actors/cache_shard/entry.hpp"
#include "actors/cache_shard/ghost_queue.hpp"
#include "messages/cache.hpp"

namespace troupe {

struct store_limits {
  /// At least 1.
  std::uint64_t max_entries = 10000;
  /// Of the entries as `store::footprint` counts them.
  std::uint64_t max_bytes = 64 << 20;
};

/// Entries by key, with expiry and eviction. No actor, no clock, no lock.
///
/// Eviction is S3-FIFO (Yang et al., "FIFO queues are all you need for cache
/// eviction", SOSP 2023): new entries queue in a small queue (a tenth of the
/// bytes) and reach the main queue only when they are used again; what falls
/// out of the small queue is remembered by hash, and goes to the main queue
/// when it comes back soon. A hit writes two bits, an eviction is amortized
/// O(1). README.md has the figures beside LRU, CLOCK and SIEVE.
class store {
public:
  using time_point = entry::time_point;

  explicit store(store_limits limits);

  // The index' functors point here.
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// The live entry of that key; counts a hit or a miss. Valid until the next
  /// call that changes the store.
  const entry* find(std::string_view key, time_point now);

  /// Stores a value, in place of an older one. A time to live of 0 or below
  /// (but `no_ttl`) expires at once. False: it can't fit, nothing changed.
  bool set(std::string_view key, std::string_view value,
           value_encoding encoding, std::int64_t ttl_ms, time_point now);

  /// Whether there is a live entry. Not a use of it.
  bool contains(std::string_view key, time_point now) const;

  /// Whether there was a live entry.
  bool erase(std::string_view key, time_point now);

  /// How many there were.
  std::uint64_t clear();

  /// Removes expired entries among the next `positions` ones; goes round.
  /// Returns how many it removed.
  std::uint64_t sweep(std::size_t positions, time_point now);

  /// Places for entries, used or not: the end of `visit`.
  std::size_t positions() const noexcept { return nodes_.size(); }

  /// Calls `f(position, entry)` for the entries from position `from` on up to
  /// `to`, until it returns false. Returns the position to go on from: that of
  /// the entry which `f` refused, or `to`. `f` must not change the store.
  template <class F>
  std::size_t visit(std::size_t from, std::size_t to, F f) const {
    to = std::min(to, nodes_.size());
    for (; from < to; ++from)
      if (nodes_[from].content && !f(from, *nodes_[from].content))
        return from;
    return to;
  }

  /// Removes the entry at a position that `visit` gave, without a change of the
  /// statistics but `keys` and `used_bytes`: it lives on elsewhere.
  void drop(std::size_t position);
  void drop(std::string_view key);

  const cache_stats& stats() const noexcept { return stats_; }

  std::uint64_t size() const noexcept { return stats_.keys; }

  /// What an entry counts against `max_bytes`: its block and its share of the
  /// index.
  static std::uint64_t footprint(const entry& x) noexcept {
    return x.size() + index_bytes;
  }

  static std::uint64_t footprint(std::size_t key, std::size_t value,
                                 bool expires) noexcept {
    return entry::size_for(key, value, expires) + index_bytes;
  }

  /// The hash of a key, for others who must agree with the index.
  static std::uint64_t hash(std::string_view key) noexcept;

private:
  /// Position in `nodes_`.
  using position_type = std::uint32_t;

  static constexpr position_type none = UINT32_MAX;

  struct node {
    entry_ptr content;
    /// Neighbours in the queue; `newer` is the next free node of a free one.
    position_type newer = none;
    position_type older = none;
  };

  /// A node, and two table places of 5 bytes at a load of one half.
  static constexpr std::uint64_t index_bytes = sizeof(node) + 10;

  struct queue {
    position_type newest = none;
    position_type oldest = none;
    std::uint64_t bytes = 0;
  };

  struct key_hash {
    using is_transparent = void;
    const store* owner;

    std::size_t operator()(std::string_view key) const noexcept {
      return hash(key);
    }

    std::size_t operator()(position_type i) const noexcept {
      return hash(owner->nodes_[i].content->key());
    }
  };

  struct key_equal {
    using is_transparent = void;
    const store* owner;

    bool operator()(position_type i, position_type j) const noexcept {
      return i == j;
    }

    bool operator()(position_type i, std::string_view key) const noexcept {
      return owner->nodes_[i].content->key() == key;
    }
  };

  using index_type = absl::flat_hash_set<position_type, key_hash, key_equal>;

  queue& queue_of(const entry& x) noexcept {
    return x.in_main() ? main_ : small_;
  }

  /// Position of a live entry or `none`. Removes an expired one.
  position_type find_live(std::string_view key, std::size_t hash,
                          time_point now);
  void replace(position_type i, std::string_view value, value_encoding encoding,
               entry::deadline expires, time_point now);
  void insert(std::string_view key, std::size_t hash, std::string_view value,
              value_encoding encoding, entry::deadline expires, time_point now);
  position_type allocate();
  /// Puts an entry at its queue's new end, and counts it.
  void attach(position_type i);
  void detach(position_type i);
  void remove(position_type i);
  void expire(position_type i);
  /// Evicts until one entry of `bytes` more fits.
  void make_room(std::uint64_t bytes, time_point now);
  void evict_one(time_point now);
  /// Evicts the queue's oldest entry unless its uses save it. True when there
  /// is one entry less.
  bool evict_from_small(time_point now);
  bool evict_from_main(time_point now);

  store_limits limits_;
  /// Positions are stable, growing copies nothing.
  std::deque<node> nodes_;
  index_type index_;
  queue small_;
  queue main_;
  ghost_queue ghosts_;
  position_type free_ = none;
  std::uint64_t with_deadline_ = 0;
  std::size_t sweep_from_ = 0;
  cache_stats stats_;
};

} // namespace troupe

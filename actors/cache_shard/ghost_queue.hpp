#pragma once

#include <cstdint>
#include <vector>

namespace troupe {

/// Remembers which keys were evicted last, by the hash only (S3-FIFO's "ghost
/// queue"). A bounded table of buckets instead of a queue: a place whose
/// eviction is too long ago counts as free. Takes no memory until the first
/// eviction, then 8 bytes per entry of the store. May forget early and, once in
/// billions, mistake a key: that costs a little hit rate, never a wrong answer.
class ghost_queue {
public:
  /// Remembers a key for the next `window` evictions.
  void insert(std::uint64_t hash, std::size_t window);

  /// Whether the key is remembered. Forgets it.
  bool take(std::uint64_t hash) noexcept;

  void clear() noexcept;

private:
  static constexpr std::size_t bucket_size = 4;

  struct place {
    /// 0: free.
    std::uint32_t fingerprint = 0;
    /// Number of the eviction, modulo 2^32.
    std::uint32_t evicted = 0;
  };

  place* bucket(std::uint64_t hash) noexcept;

  static std::uint32_t fingerprint(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32) | 1;
  }

  std::uint32_t age(const place& x) const noexcept {
    return evictions_ - x.evicted;
  }

  std::vector<place> places_;
  std::uint32_t evictions_ = 0;
  std::uint32_t window_ = 0;
};

} // namespace troupe

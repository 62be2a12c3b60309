#include "actors/cache_shard/ghost_queue.hpp"

#include <algorithm>
#include <bit>

namespace troupe {

void ghost_queue::insert(std::uint64_t hash, std::size_t window) {
  window_ = static_cast<std::uint32_t>(std::min<std::size_t>(window, 1u << 31));
  // Starting anew when the store has grown is simpler than moving the places,
  // and happens a few times in a store's life.
  if (places_.size() < window_)
    places_.assign(std::bit_ceil(std::max<std::size_t>(window_, 64)), {});
  ++evictions_;
  auto* first = bucket(hash);
  auto* oldest = std::max_element(
    first, first + bucket_size, [this](const place& x, const place& y) {
      return x.fingerprint != 0 && (y.fingerprint == 0 || age(x) < age(y));
    });
  *oldest = {fingerprint(hash), evictions_};
}

bool ghost_queue::take(std::uint64_t hash) noexcept {
  if (places_.empty())
    return false;
  auto* first = bucket(hash);
  auto* found = std::find_if(first, first + bucket_size, [&](const place& x) {
    return x.fingerprint == fingerprint(hash) && age(x) < window_;
  });
  if (found == first + bucket_size)
    return false;
  *found = {};
  return true;
}

void ghost_queue::clear() noexcept {
  places_ = {};
}

ghost_queue::place* ghost_queue::bucket(std::uint64_t hash) noexcept {
  auto buckets = places_.size() / bucket_size;
  return places_.data() + (hash & (buckets - 1)) * bucket_size;
}

} // namespace troupe

#include "actors/cache_shard/store.hpp"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace troupe {

namespace {

/// The small queue's share of the bytes is one part of this many.
constexpr std::uint64_t small_divisor = 10;

entry::deadline deadline_for(std::int64_t ttl_ms, entry::time_point now) {
  if (ttl_ms == no_ttl)
    return std::nullopt;
  return now + std::chrono::milliseconds{std::min(ttl_ms, max_ttl_ms)};
}

} // namespace

store::store(store_limits limits)
  : limits_(limits), index_(0, key_hash{this}, key_equal{this}) {
  stats_.max_bytes = limits.max_bytes;
}

std::uint64_t store::hash(std::string_view key) noexcept {
  return XXH3_64bits(key.data(), key.size());
}

const entry* store::find(std::string_view key, time_point now) {
  auto i = find_live(key, hash(key), now);
  if (i == none) {
    ++stats_.misses;
    return nullptr;
  }
  ++stats_.hits;
  auto* found = nodes_[i].content.get();
  found->used();
  return found;
}

bool store::set(std::string_view key, std::string_view value,
                value_encoding encoding, std::int64_t ttl_ms, time_point now) {
  bool expires = ttl_ms != no_ttl;
  if (footprint(key.size(), value.size(), expires) > limits_.max_bytes
      || key.size() > entry::max_key_bytes
      || value.size() > entry::max_value_bytes)
    return false;
  ++stats_.sets;
  auto hashed = hash(key);
  auto i = find_live(key, hashed, now);
  if (expires && ttl_ms <= 0) {
    if (i != none)
      remove(i);
    ++stats_.expirations;
  } else if (i != none) {
    replace(i, value, encoding, deadline_for(ttl_ms, now), now);
  } else {
    insert(key, hashed, value, encoding, deadline_for(ttl_ms, now), now);
  }
  return true;
}

bool store::contains(std::string_view key, time_point now) const {
  auto i = index_.find(key);
  return i != index_.end() && !nodes_[*i].content->expired(now);
}

bool store::erase(std::string_view key, time_point now) {
  auto i = find_live(key, hash(key), now);
  if (i == none)
    return false;
  remove(i);
  ++stats_.deletes;
  return true;
}

std::uint64_t store::clear() {
  auto removed = stats_.keys;
  index_ = index_type(0, key_hash{this}, key_equal{this});
  nodes_.clear();
  small_ = {};
  main_ = {};
  ghosts_.clear();
  free_ = none;
  with_deadline_ = 0;
  sweep_from_ = 0;
  stats_.keys = 0;
  stats_.used_bytes = 0;
  stats_.deletes += removed;
  return removed;
}

std::uint64_t store::sweep(std::size_t positions, time_point now) {
  std::uint64_t removed = 0;
  for (positions = std::min(positions, nodes_.size());
       positions > 0 && with_deadline_ > 0; --positions) {
    if (sweep_from_ >= nodes_.size())
      sweep_from_ = 0;
    auto i = static_cast<position_type>(sweep_from_++);
    if (nodes_[i].content && nodes_[i].content->expired(now)) {
      expire(i);
      ++removed;
    }
  }
  return removed;
}

void store::drop(std::size_t position) {
  remove(static_cast<position_type>(position));
}

void store::drop(std::string_view key) {
  if (auto i = index_.find(key); i != index_.end())
    remove(*i);
}

store::position_type store::find_live(std::string_view key, std::size_t hash,
                                      time_point now) {
  auto found = index_.find(key, hash);
  if (found == index_.end())
    return none;
  auto i = *found;
  if (!nodes_[i].content->expired(now))
    return i;
  expire(i);
  return none;
}

void store::replace(position_type i, std::string_view value,
                    value_encoding encoding, entry::deadline expires,
                    time_point now) {
  // Out of its queue it can't be evicted to make room for itself.
  detach(i);
  auto& content = nodes_[i].content;
  make_room(footprint(content->key().size(), value.size(), expires.has_value()),
            now);
  if (!content->assign(value, encoding, expires)) {
    auto next = entry::make(content->key(), value, encoding, expires);
    next->in_main(content->in_main());
    for (auto n = content->uses(); n > 0; --n)
      next->used();
    content = std::move(next);
  }
  content->used();
  attach(i);
}

void store::insert(std::string_view key, std::size_t hash,
                   std::string_view value, value_encoding encoding,
                   entry::deadline expires, time_point now) {
  make_room(footprint(key.size(), value.size(), expires.has_value()), now);
  auto content = entry::make(key, value, encoding, expires);
  content->in_main(ghosts_.take(hash));
  auto i = allocate();
  nodes_[i].content = std::move(content);
  attach(i);
  index_.insert(i);
}

store::position_type store::allocate() {
  if (free_ == none) {
    nodes_.emplace_back();
    return static_cast<position_type>(nodes_.size() - 1);
  }
  auto i = free_;
  free_ = nodes_[i].newer;
  return i;
}

void store::attach(position_type i) {
  auto& x = nodes_[i];
  auto& q = queue_of(*x.content);
  x.newer = none;
  x.older = q.newest;
  (q.newest == none ? q.oldest : nodes_[q.newest].newer) = i;
  q.newest = i;
  auto bytes = footprint(*x.content);
  q.bytes += bytes;
  stats_.used_bytes += bytes;
  ++stats_.keys;
  if (x.content->has_deadline())
    ++with_deadline_;
}

void store::detach(position_type i) {
  auto& x = nodes_[i];
  auto& q = queue_of(*x.content);
  (x.newer == none ? q.newest : nodes_[x.newer].older) = x.older;
  (x.older == none ? q.oldest : nodes_[x.older].newer) = x.newer;
  auto bytes = footprint(*x.content);
  q.bytes -= bytes;
  stats_.used_bytes -= bytes;
  --stats_.keys;
  if (x.content->has_deadline())
    --with_deadline_;
}

void store::remove(position_type i) {
  index_.erase(i);
  detach(i);
  auto& x = nodes_[i];
  x.content.reset();
  x.newer = free_;
  free_ = i;
}

void store::expire(position_type i) {
  remove(i);
  ++stats_.expirations;
}

void store::make_room(std::uint64_t bytes, time_point now) {
  while (stats_.keys > 0
         && (stats_.keys >= limits_.max_entries
             || stats_.used_bytes + bytes > limits_.max_bytes))
    evict_one(now);
}

void store::evict_one(time_point now) {
  bool done = false;
  while (!done) {
    bool small_is_due = small_.oldest != none
                        && (small_.bytes * small_divisor >= stats_.used_bytes
                            || main_.oldest == none);
    done = small_is_due ? evict_from_small(now) : evict_from_main(now);
  }
}

bool store::evict_from_small(time_point now) {
  auto i = small_.oldest;
  auto& content = *nodes_[i].content;
  if (content.expired(now)) {
    expire(i);
    return true;
  }
  if (content.uses() > 0) {
    detach(i);
    content.in_main(true);
    content.forget_uses();
    attach(i);
    return false;
  }
  ghosts_.insert(hash(content.key()), stats_.keys);
  remove(i);
  ++stats_.evictions;
  return true;
}

bool store::evict_from_main(time_point now) {
  auto i = main_.oldest;
  auto& content = *nodes_[i].content;
  if (content.expired(now)) {
    expire(i);
    return true;
  }
  if (content.uses() > 0) {
    detach(i);
    content.forget_use();
    attach(i);
    return false;
  }
  remove(i);
  ++stats_.evictions;
  return true;
}

} // namespace troupe

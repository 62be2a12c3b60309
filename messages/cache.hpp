#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/meta/type_name.hpp>

#include "messages/ids.hpp"

// What cache shards are asked, locally and by other nodes. `epoch` is that of
// the sender's slot table; a shard that does not own the key's slot answers
// `wrong_owner`, and the sender reads its table again.

namespace troupe {

/// How a value's bytes are to be understood.
enum class value_encoding : std::uint8_t {
  /// Bytes as a client gave them.
  raw,
  /// msgpack of a JSON value.
  json,
};

/// No time to live.
inline constexpr std::int64_t no_ttl = -1;

/// The longest time to live, a year: it can't overflow a time point.
inline constexpr std::int64_t max_ttl_ms = std::int64_t{1000} * 3600 * 24 * 365;

struct cache_get {
  std::string key;
  std::uint64_t epoch = 0;
};

/// What a shard still has of a slot that it lost. Asked by the new owner, for a
/// key that has not been handed over yet.
struct cache_peek {
  std::string key;
};

/// A value that was found.
struct cache_value {
  std::string bytes;
  value_encoding encoding = value_encoding::raw;
  /// Time left in ms, or `no_ttl`.
  std::int64_t ttl_ms = no_ttl;
};

struct cache_set {
  std::string key;
  std::string bytes;
  value_encoding encoding = value_encoding::raw;
  /// Time to live in ms, or `no_ttl`. Zero or below: the entry expires at once.
  std::int64_t ttl_ms = no_ttl;
  std::uint64_t epoch = 0;
};

struct cache_delete {
  std::string key;
  std::uint64_t epoch = 0;
};

/// Removes every entry of the shard.
struct cache_clear {};

/// How many entries a `cache_delete` or `cache_clear` removed, or a
/// `cache_set` stored.
struct cache_count {
  std::uint64_t count = 0;
};

struct get_cache_stats {};

/// One shard's figures since it started; sums over shards are meaningful.
struct cache_stats {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t sets = 0;
  std::uint64_t deletes = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expirations = 0;
  /// Live entries.
  std::uint64_t keys = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t max_bytes = 0;

  cache_stats& operator+=(const cache_stats& other);
};

/// An entry on its way to its slot's new owner.
struct cache_entry {
  std::string key;
  std::string bytes;
  value_encoding encoding = value_encoding::raw;
  std::int64_t ttl_ms = no_ttl;
};

/// Entries of slots that the sender lost to this node in a planned move. A key
/// that exists here already is newer and stays.
struct cache_import {
  std::uint64_t epoch = 0;
  std::vector<cache_entry> entries;
};

inline cache_stats& cache_stats::operator+=(const cache_stats& other) {
  hits += other.hits;
  misses += other.misses;
  sets += other.sets;
  deletes += other.deletes;
  evictions += other.evictions;
  expirations += other.expirations;
  keys += other.keys;
  used_bytes += other.used_bytes;
  max_bytes += other.max_bytes;
  return *this;
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_get& x) {
  return f(caf::meta::type_name("cache_get"), x.key, x.epoch);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_peek& x) {
  return f(caf::meta::type_name("cache_peek"), x.key);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_value& x) {
  return f(caf::meta::type_name("cache_value"), x.bytes, x.encoding, x.ttl_ms);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_set& x) {
  return f(caf::meta::type_name("cache_set"), x.key, x.bytes, x.encoding,
           x.ttl_ms, x.epoch);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_delete& x) {
  return f(caf::meta::type_name("cache_delete"), x.key, x.epoch);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_clear&) {
  return f(caf::meta::type_name("cache_clear"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_count& x) {
  return f(caf::meta::type_name("cache_count"), x.count);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_cache_stats&) {
  return f(caf::meta::type_name("get_cache_stats"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_stats& x) {
  return f(caf::meta::type_name("cache_stats"), x.hits, x.misses, x.sets,
           x.deletes, x.evictions, x.expirations, x.keys, x.used_bytes,
           x.max_bytes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_entry& x) {
  return f(caf::meta::type_name("cache_entry"), x.key, x.bytes, x.encoding,
           x.ttl_ms);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_import& x) {
  return f(caf::meta::type_name("cache_import"), x.epoch, x.entries);
}

} // namespace troupe

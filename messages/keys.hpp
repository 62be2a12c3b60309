#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/meta/type_name.hpp>

// The catalog's keys: small values that the cluster agrees on, for elections,
// locks and settings of those who use it.

namespace troupe {

/// No condition on a key's version.
inline constexpr std::int64_t any_version = -1;

/// Bytes of a key at most.
inline constexpr std::size_t max_catalog_key_bytes = 512;

/// Bytes of a value's JSON text, or of all items of a list together.
inline constexpr std::size_t max_catalog_value_bytes = 64 << 10;

/// Keys of a cluster.
inline constexpr std::size_t max_catalog_keys = 10'000;

/// Bytes of all keys and values of a cluster together.
inline constexpr std::size_t max_catalog_bytes = 64 << 20;

/// Sets a key. With a version it is a compare-and-set: the key must be at that
/// version, or, for 0, must not exist. The result's value is the new version.
/// Errors: conflict, too_large.
struct put_key {
  std::string key;
  /// JSON text.
  std::string value;
  std::int64_t if_version = any_version;
};

/// Errors: not_found, conflict.
struct delete_key {
  std::string key;
  std::int64_t if_version = any_version;
};

/// Adds an item to a key's list unless it is there; makes the key where there
/// is none. The result's value is the version. Errors: conflict (the key holds
/// something else), too_large.
struct append_to_key {
  std::string key;
  /// JSON text.
  std::string item;
};

/// What a key holds.
struct catalog_value {
  /// Raft index of the last change.
  std::uint64_t version = 0;
  /// Whether `items` are a list's; otherwise the value is its only one.
  bool is_list = false;
  /// JSON texts.
  std::vector<std::string> items;
};

/// Asks the catalog for a key, as this node knows it. Errors: not_found.
struct read_key {
  std::string key;
};

/// Asks the catalog for the keys with that prefix, in order.
struct list_keys {
  std::string prefix;
  std::uint32_t limit = 1000;
};

struct key_version {
  std::string key;
  std::uint64_t version = 0;
};

struct key_list {
  std::vector<key_version> keys;
  /// There are more than `limit`.
  bool truncated = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, put_key& x) {
  return f(caf::meta::type_name("put_key"), x.key, x.value, x.if_version);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, delete_key& x) {
  return f(caf::meta::type_name("delete_key"), x.key, x.if_version);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, append_to_key& x) {
  return f(caf::meta::type_name("append_to_key"), x.key, x.item);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, catalog_value& x) {
  return f(caf::meta::type_name("catalog_value"), x.version, x.is_list,
           x.items);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, read_key& x) {
  return f(caf::meta::type_name("read_key"), x.key);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_keys& x) {
  return f(caf::meta::type_name("list_keys"), x.prefix, x.limit);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_version& x) {
  return f(caf::meta::type_name("key_version"), x.key, x.version);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_list& x) {
  return f(caf::meta::type_name("key_list"), x.keys, x.truncated);
}

} // namespace troupe

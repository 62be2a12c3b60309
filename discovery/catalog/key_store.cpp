#include "discovery/catalog/key_store.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace troupe {

namespace {

apply_result stored(std::uint64_t version) {
  return {0, {}, {}, std::to_string(version), 0};
}

std::string at_most(std::size_t bytes) {
  return "at most " + std::to_string(bytes) + " bytes";
}

/// Why a change must not be made, if so.
std::optional<apply_result> misfit(const std::string& key,
                                   std::size_t value_bytes, bool is_new,
                                   std::size_t keys) {
  if (key.empty() || key.size() > max_catalog_key_bytes)
    return refuse(
      errc::too_large,
      "a key has 1 byte or more, and " + at_most(max_catalog_key_bytes), "key");
  if (value_bytes > max_catalog_value_bytes)
    return refuse(errc::too_large,
                  "a value has " + at_most(max_catalog_value_bytes), "value");
  if (is_new && keys >= max_catalog_keys)
    return refuse(errc::too_large,
                  "the catalog has " + std::to_string(max_catalog_keys)
                    + " keys, its limit; delete some",
                  "key");
  return std::nullopt;
}

std::optional<apply_result> mismatch(const catalog_value* present,
                                     std::int64_t wanted) {
  auto version = present != nullptr ? present->version : 0;
  if (wanted == any_version || static_cast<std::uint64_t>(wanted) == version)
    return std::nullopt;
  return refuse(errc::conflict,
                present != nullptr
                  ? "the key is at version " + std::to_string(version)
                  : "the key does not exist (version 0)",
                "version");
}

std::size_t bytes_of(const std::vector<std::string>& items) {
  return std::accumulate(
    items.begin(), items.end(), std::size_t{0},
    [](auto sum, auto& item) { return sum + item.size(); });
}

} // namespace

const catalog_value* key_store::find(const std::string& key) const {
  auto i = values_.find(key);
  return i == values_.end() ? nullptr : &i->second;
}

apply_result key_store::put(const put_key& x, std::uint64_t version) {
  auto* present = find(x.key);
  if (auto why = misfit(x.key, x.value.size(), present == nullptr, size()))
    return *why;
  if (auto why = mismatch(present, x.if_version))
    return *why;
  values_[x.key] = {version, false, {x.value}};
  return stored(version);
}

apply_result key_store::erase(const delete_key& x) {
  auto* present = find(x.key);
  if (auto why = mismatch(present, x.if_version))
    return *why;
  if (present == nullptr)
    return refuse(errc::not_found, "no such key: " + x.key, "key");
  values_.erase(x.key);
  return stored(0);
}

apply_result key_store::append(const append_to_key& x, std::uint64_t version) {
  auto* present = find(x.key);
  auto bytes = x.item.size() + (present ? bytes_of(present->items) : 0);
  if (auto why = misfit(x.key, bytes, present == nullptr, size()))
    return *why;
  if (present != nullptr && !present->is_list)
    return refuse(errc::conflict,
                  "the key holds a value, no list that was appended to", "key");
  auto& list = values_[x.key];
  list.is_list = true;
  if (std::find(list.items.begin(), list.items.end(), x.item)
      != list.items.end())
    return stored(list.version);
  list.items.push_back(x.item);
  list.version = version;
  return stored(version);
}

key_list key_store::list(const list_keys& x) const {
  key_list result;
  for (auto i = values_.lower_bound(x.prefix);
       i != values_.end() && i->first.starts_with(x.prefix); ++i) {
    if (result.keys.size() >= x.limit) {
      result.truncated = true;
      break;
    }
    result.keys.push_back({i->first, i->second.version});
  }
  return result;
}

} // namespace troupe

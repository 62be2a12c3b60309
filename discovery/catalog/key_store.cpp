#include "discovery/catalog/key_store.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace troupe {

namespace {

apply_result stored(std::uint64_t version) {
  return {0, {}, {}, std::to_string(version), 0};
}

std::string at_most(std::size_t bytes) {
  return "at most " + std::to_string(bytes) + " bytes";
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

std::size_t bytes_of(const catalog_value& value) {
  return std::accumulate(
    value.items.begin(), value.items.end(), std::size_t{0},
    [](auto sum, auto& item) { return sum + item.size(); });
}

std::size_t bytes_of(const std::string& key, const catalog_value* value) {
  return value != nullptr ? key.size() + bytes_of(*value) : 0;
}

} // namespace

std::optional<apply_result> key_store::misfit(const std::string& key,
                                              std::size_t value_bytes) const {
  if (key.empty() || key.size() > max_catalog_key_bytes)
    return refuse(
      errc::too_large,
      "a key has 1 byte or more, and " + at_most(max_catalog_key_bytes), "key");
  if (value_bytes > max_catalog_value_bytes)
    return refuse(errc::too_large,
                  "a value has " + at_most(max_catalog_value_bytes), "value");
  auto* present = find(key);
  if (present == nullptr && size() >= max_catalog_keys)
    return refuse(errc::too_large,
                  "the catalog has " + std::to_string(max_catalog_keys)
                    + " keys, its limit; delete some",
                  "key");
  auto others = bytes_ - bytes_of(key, present);
  if (others + key.size() + value_bytes > max_catalog_bytes)
    return refuse(errc::too_large,
                  "the catalog's keys and values have " + std::to_string(bytes_)
                    + " bytes, and " + at_most(max_catalog_bytes)
                    + " together; delete some",
                  "value");
  return std::nullopt;
}

void key_store::store(const std::string& key, catalog_value value) {
  auto& place = values_[key];
  bytes_ -= bytes_of(key, place.get());
  bytes_ += bytes_of(key, &value);
  place = std::make_shared<const catalog_value>(std::move(value));
}

void key_store::count_bytes() {
  bytes_ = 0;
  for (auto& [key, value] : values_)
    bytes_ += bytes_of(key, value.get());
}

const catalog_value* key_store::find(const std::string& key) const {
  auto i = values_.find(key);
  return i == values_.end() ? nullptr : i->second.get();
}

apply_result key_store::put(const put_key& x, std::uint64_t version) {
  if (auto why = misfit(x.key, x.value.size()))
    return *why;
  if (auto why = mismatch(find(x.key), x.if_version))
    return *why;
  store(x.key, {version, false, {x.value}});
  return stored(version);
}

apply_result key_store::erase(const delete_key& x) {
  auto* present = find(x.key);
  if (auto why = mismatch(present, x.if_version))
    return *why;
  if (present == nullptr)
    return refuse(errc::not_found, "no such key: " + x.key, "key");
  bytes_ -= bytes_of(x.key, present);
  values_.erase(x.key);
  return stored(0);
}

apply_result key_store::append(const append_to_key& x, std::uint64_t version) {
  auto* present = find(x.key);
  auto list = present != nullptr ? *present : catalog_value{0, true, {}};
  if (!list.is_list)
    return refuse(errc::conflict,
                  "the key holds a value, no list that was appended to", "key");
  if (std::find(list.items.begin(), list.items.end(), x.item)
      != list.items.end())
    return stored(list.version);
  if (auto why = misfit(x.key, bytes_of(list) + x.item.size()))
    return *why;
  list.items.push_back(x.item);
  list.version = version;
  store(x.key, std::move(list));
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
    result.keys.push_back({i->first, i->second->version});
  }
  return result;
}

} // namespace troupe

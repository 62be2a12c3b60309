#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <caf/meta/type_name.hpp>

#include "messages/command.hpp"
#include "messages/keys.hpp"

namespace troupe {

/// The catalog's keys. Part of the replicated state: deterministic. Copies
/// share their values, so one is made quickly whatever the values' size.
class key_store {
public:
  /// `version` is that of the change: larger than any before.
  apply_result put(const put_key& x, std::uint64_t version);
  apply_result erase(const delete_key& x);
  apply_result append(const append_to_key& x, std::uint64_t version);

  /// What the key holds, or null.
  const catalog_value* find(const std::string& key) const;

  key_list list(const list_keys& x) const;

  std::size_t size() const { return values_.size(); }

  /// Of all keys and values.
  std::size_t bytes() const { return bytes_; }

  template <class Inspector>
  friend void inspect(Inspector& f, key_store& x) {
    f(caf::meta::type_name("key_store"), x.values_);
    if constexpr (Inspector::writes_state)
      x.count_bytes();
  }

private:
  /// Why a change that leaves the key with `value_bytes` must not be made.
  std::optional<apply_result> misfit(const std::string& key,
                                     std::size_t value_bytes) const;
  void store(const std::string& key, catalog_value value);
  void count_bytes();

  std::map<std::string, std::shared_ptr<const catalog_value>> values_;
  std::size_t bytes_ = 0;
};

} // namespace troupe

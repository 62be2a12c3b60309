#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <caf/meta/type_name.hpp>

#include "messages/command.hpp"
#include "messages/keys.hpp"

namespace troupe {

/// The catalog's keys. Part of the replicated state: deterministic.
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

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, key_store& x) {
    return f(caf::meta::type_name("key_store"), x.values_);
  }

private:
  std::map<std::string, catalog_value> values_;
};

} // namespace troupe

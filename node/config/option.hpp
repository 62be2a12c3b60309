#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/config/codec.hpp"

namespace troupe {

/// One setting: everything that is to be known about it. `Root` is the struct
/// that holds it, some levels down.
template <class Root>
struct basic_option {
  /// Keys from the root, joined by dots: `cluster.heartbeatInterval`.
  std::string_view path;
  /// One or two sentences, for people.
  std::string_view description;
  value_kind kind;
  option_traits traits;
  config_value default_value;

  /// Checks `from` and stores it. What is wrong goes to `in`.
  bool assign(Root& to, const config_value& from, reading& in) const {
    in.secret(traits.secret);
    return store(to, from, traits, in);
  }

  bool (*store)(Root&, const config_value&, const option_traits&, reading&);
  config_value (*load)(const Root&);
};

/// An option of the configuration.
using option = basic_option<configuration>;
using option_table = std::vector<option>;

/// The struct whose member `Member` points to.
template <class Root, class T>
Root member_owner(T Root::*);

/// The member that is reached by following `Members` from the root.
template <auto... Members, class Root>
auto& follow(Root& root) {
  return (root.*....*Members);
}

/// Declares the option that is reached by following `Members` from the root:
///
///     declare<&configuration::cluster, &cluster_settings::port>(
///       "cluster.port", "Port of …", 3007, {.min = 1});
template <auto First, auto... Rest, class Default>
auto declare(std::string_view path, std::string_view description,
             const Default& default_value, option_traits traits = {}) {
  using root = decltype(member_owner(First));
  using type =
    std::decay_t<decltype(follow<First, Rest...>(std::declval<root&>()))>;
  if constexpr (codec<type>::kind == value_kind::integer)
    traits.max = std::min(traits.max, codec<type>::greatest);
  return basic_option<root>{
    .path = path,
    .description = description,
    .kind = codec<type>::kind,
    .traits = std::move(traits),
    .default_value = codec<type>::write(type(default_value)),
    .store =
      [](root& to, const config_value& from, const option_traits& traits,
         reading& in) {
        type value{};
        if (!codec<type>::read(from, traits, value, in))
          return false;
        follow<First, Rest...>(to) = std::move(value);
        return true;
      },
    .load =
      [](const root& from) {
        return codec<type>::write(follow<First, Rest...>(from));
      },
  };
}

} // namespace troupe

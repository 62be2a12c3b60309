#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "messages/text_rules.hpp"
#include "node/config/configuration.hpp"
#include "node/config/problem.hpp"
#include "node/config/value.hpp"

namespace troupe {

/// What an option's value has to be, beside its type, and how it is treated.
struct option_traits {
  /// Bounds of a number.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  /// Of a text or of a list's items. Empty: any.
  std::vector<std::string_view> choices = {};
  const text_rule* rule = nullptr;
  /// The flag of `troupe serve`; any option can be given with `--set` too.
  std::string_view flag = {};
  /// A variable beside the one that is derived from the path.
  std::string_view variable = {};
  /// How the documentation writes a default that is computed.
  std::string_view computed_default = {};
  /// Whether a change takes effect only when the node starts again.
  bool needs_restart = true;
  /// Never printed.
  bool secret = false;
  /// A field that has to be given (in a list of objects).
  bool required = false;
  /// The same on all nodes of a cluster, or they refuse each other.
  bool shared = false;
  /// Accepted and checked, but nothing acts on it in this version.
  bool reserved = false;
};

/// What a text from the environment or a flag is read as.
enum class value_kind : std::uint8_t {
  boolean,
  integer,
  /// ms in the file and everywhere else.
  duration,
  /// s, for times to live.
  seconds,
  text,
  /// Comma-separated in a variable or flag, or JSON.
  text_list,
  /// JSON everywhere.
  object_list,
};

/// The type and its bounds in words: `a whole number from 1 to 65535`.
std::string expectation(value_kind kind, const option_traits& traits);

/// Reads a variable's or flag's text. A text that is none of `kind` stays a
/// text, so that the type check refuses it with the usual words.
config_value parse_text(value_kind kind, std::string_view text);

/// @name Checked reading of single values
/// @{
bool decode(const config_value& from, const option_traits& traits, bool& to,
            reading& in);
bool decode(const config_value& from, const option_traits& traits,
            std::string& to, reading& in);
bool decode(const config_value& from, const option_traits& traits,
            log_level& to, reading& in);
bool decode(const config_value& from, const option_traits& traits, endpoint& to,
            reading& in);
/// Any number, of which `kind` says the unit.
bool decode_number(const config_value& from, value_kind kind,
                   const option_traits& traits, std::int64_t& to, reading& in);
/// @}

/// How an option's C++ type is read from and written to a `config_value`.
template <class T>
struct codec {
  static constexpr auto kind =
    std::is_same_v<T, bool> ? value_kind::boolean : value_kind::text;

  static bool read(const config_value& from, const option_traits& traits, T& to,
                   reading& in) {
    return decode(from, traits, to, in);
  }

  static config_value write(const T& x) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>)
      return {x};
    else
      return {std::string{to_string(x)}};
  }
};

template <class T>
requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>) struct codec<T> {
  static constexpr auto kind = value_kind::integer;
  /// The greatest number that fits.
  static constexpr auto greatest =
    std::in_range<std::int64_t>(std::numeric_limits<T>::max())
      ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
      : std::numeric_limits<std::int64_t>::max();

  static bool read(const config_value& from, const option_traits& traits, T& to,
                   reading& in) {
    std::int64_t number = 0;
    if (!decode_number(from, kind, traits, number, in))
      return false;
    to = static_cast<T>(number);
    return true;
  }

  static config_value write(T x) { return {static_cast<std::int64_t>(x)}; }
};

template <class Period>
struct codec<std::chrono::duration<std::int64_t, Period>> {
  using type = std::chrono::duration<std::int64_t, Period>;

  static constexpr auto kind = std::is_same_v<Period, std::milli>
                                 ? value_kind::duration
                                 : value_kind::seconds;

  static bool read(const config_value& from, const option_traits& traits,
                   type& to, reading& in) {
    std::int64_t count = 0;
    if (!decode_number(from, kind, traits, count, in))
      return false;
    to = type{count};
    return true;
  }

  static config_value write(type x) { return {std::int64_t{x.count()}}; }
};

template <class T>
concept list_item =
  std::is_same_v<T, proxy_route> || std::is_same_v<T, service_check>;

/// @name Reading and writing of a list's items, by `item_fields`
/// @{
template <class Item>
bool read_item(const config_value& from, Item& to, reading& in);
template <class Item>
config_value write_item(const Item& x);
/// @}

/// An object of a list; its fields are declared as options are
/// (`item_fields`).
template <list_item T>
struct codec<T> {
  static constexpr auto kind = value_kind::object_list;

  static bool read(const config_value& from, const option_traits&, T& to,
                   reading& in) {
    return read_item(from, to, in);
  }

  static config_value write(const T& x) { return write_item(x); }
};

template <class T>
struct codec<std::vector<T>> {
  static constexpr auto kind = codec<T>::kind == value_kind::text
                                 ? value_kind::text_list
                                 : value_kind::object_list;

  static bool read(const config_value& from, const option_traits& traits,
                   std::vector<T>& to, reading& in) {
    auto items = std::get_if<config_list>(&from.data);
    if (!items)
      return in.reject(from, expectation(kind, traits));
    to.clear();
    bool valid = true;
    for (auto& item : *items) {
      auto suffix = "[" + std::to_string(to.size()) + "]";
      auto part = in.part(suffix, item);
      valid &= codec<T>::read(item, traits, to.emplace_back(), part);
    }
    return valid;
  }

  static config_value write(const std::vector<T>& x) {
    config_list items;
    for (auto& item : x)
      items.push_back(codec<T>::write(item));
    return {std::move(items)};
  }
};

} // namespace troupe

#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <msgpack.hpp>

#include <caf/meta/annotation.hpp>

// CAF-style inspectors that write and read msgpack, so that one `inspect` per
// struct serves the wire, the log and the snapshot. A struct is an array of
// its fields; a shorter array than expected leaves the last fields at their
// defaults, a longer one is an error. A shared pointer is what it points to,
// and never null. Include only where bytes are made or read: msgpack's headers
// are heavy.

namespace troupe {

/// Writes values as msgpack behind `head`.
class msgpack_writer {
public:
  explicit msgpack_writer(std::string head = {}) : buffer_{std::move(head)} {}

  using result_type = void;

  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  template <class... Ts>
  void operator()(Ts&&... fields) {
    constexpr auto count =
      (std::size_t{0} + ... + (is_annotation<Ts> ? 0u : 1u));
    packer_.pack_array(static_cast<std::uint32_t>(count));
    (field(fields), ...);
  }

  template <class T>
  void write(const T& x) {
    if constexpr (std::is_enum_v<T>) {
      packer_.pack(static_cast<std::underlying_type_t<T>>(x));
    } else if constexpr (std::is_arithmetic_v<
                           T> || std::is_same_v<T, std::string>) {
      packer_.pack(x);
    } else {
      write_composite(x);
    }
  }

  std::string take() { return std::move(buffer_.bytes); }

private:
  template <class T>
  static constexpr bool is_annotation =
    caf::meta::is_annotation<std::decay_t<T>>::value;

  template <class T>
  void field(const T& x) {
    if constexpr (!is_annotation<T>)
      write(x);
  }

  template <class T>
  void write_composite(const T& x) {
    inspect(*this, const_cast<T&>(x));
  }

  template <class T>
  void write_range(const T& xs) {
    packer_.pack_array(static_cast<std::uint32_t>(xs.size()));
    for (auto& x : xs)
      write(x);
  }

  template <class T>
  void write_composite(const std::vector<T>& xs) {
    write_range(xs);
  }

  template <class T>
  void write_composite(const std::deque<T>& xs) {
    write_range(xs);
  }

  template <class K, class V>
  void write_composite(const std::map<K, V>& xs) {
    packer_.pack_map(static_cast<std::uint32_t>(xs.size()));
    for (auto& [key, value] : xs) {
      write(key);
      write(value);
    }
  }

  template <class T>
  void write_composite(const std::shared_ptr<const T>& x) {
    write(*x);
  }

  template <class... Ts>
  void write_composite(const std::variant<Ts...>& x) {
    packer_.pack_array(2);
    packer_.pack(static_cast<std::uint32_t>(x.index()));
    std::visit([this](auto& alternative) { write(alternative); }, x);
  }

  struct buffer {
    std::string bytes;

    void write(const char* data, std::size_t size) { bytes.append(data, size); }
  };

  buffer buffer_;
  msgpack::packer<buffer> packer_{buffer_};
};

/// Thrown inside `msgpack_reader` only; `read_msgpack` turns it into false.
struct msgpack_mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The bytes are well-formed, but tell of something that this version does not
/// know.
struct msgpack_newer : msgpack_mismatch {
  using msgpack_mismatch::msgpack_mismatch;
};

/// Reads values from a msgpack object. Throws `msgpack_mismatch` or
/// `msgpack::type_error` when it does not fit.
class msgpack_reader {
public:
  using result_type = void;

  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  explicit msgpack_reader(const msgpack::object& source) : source_(&source) {}

  template <class... Ts>
  void operator()(Ts&&... fields) {
    if (source_->type != msgpack::type::ARRAY)
      throw msgpack_mismatch("expected an array of fields");
    auto array = source_->via.array;
    std::uint32_t index = 0;
    (field(array, index, fields), ...);
    if (index < array.size)
      throw msgpack_newer("more fields than this version knows");
  }

  template <class T>
  static void read(const msgpack::object& source, T& x) {
    if constexpr (std::is_enum_v<T>) {
      x = static_cast<T>(source.as<std::underlying_type_t<T>>());
    } else if constexpr (std::is_arithmetic_v<
                           T> || std::is_same_v<T, std::string>) {
      x = source.as<T>();
    } else {
      read_composite(source, x);
    }
  }

private:
  template <class T>
  static void field(const msgpack::object_array& array, std::uint32_t& index,
                    T& x) {
    if constexpr (!caf::meta::is_annotation<std::decay_t<T>>::value) {
      if (index < array.size)
        read(array.ptr[index++], x);
    }
  }

  template <class T>
  static void read_composite(const msgpack::object& source, T& x) {
    msgpack_reader nested{source};
    inspect(nested, x);
  }

  template <class T>
  static void read_range(const msgpack::object& source, T& xs) {
    if (source.type != msgpack::type::ARRAY)
      throw msgpack_mismatch("expected an array");
    xs.clear();
    for (std::uint32_t i = 0; i < source.via.array.size; ++i)
      read(source.via.array.ptr[i], xs.emplace_back());
  }

  template <class T>
  static void read_composite(const msgpack::object& source,
                             std::vector<T>& xs) {
    read_range(source, xs);
  }

  template <class T>
  static void read_composite(const msgpack::object& source, std::deque<T>& xs) {
    read_range(source, xs);
  }

  template <class K, class V>
  static void read_composite(const msgpack::object& source,
                             std::map<K, V>& xs) {
    if (source.type != msgpack::type::MAP)
      throw msgpack_mismatch("expected a map");
    xs.clear();
    auto map = source.via.map;
    for (std::uint32_t i = 0; i < map.size; ++i) {
      K key{};
      read(map.ptr[i].key, key);
      read(map.ptr[i].val, xs[std::move(key)]);
    }
  }

  template <class T>
  static void read_composite(const msgpack::object& source,
                             std::shared_ptr<const T>& x) {
    auto made = std::make_shared<T>();
    read(source, *made);
    x = std::move(made);
  }

  template <class... Ts>
  static void read_composite(const msgpack::object& source,
                             std::variant<Ts...>& x) {
    if (source.type != msgpack::type::ARRAY || source.via.array.size != 2)
      throw msgpack_mismatch("expected an alternative");
    auto index = source.via.array.ptr[0].as<std::uint32_t>();
    if (index >= sizeof...(Ts))
      throw msgpack_newer("unknown alternative " + std::to_string(index));
    read_alternative(source.via.array.ptr[1], x, index,
                     std::index_sequence_for<Ts...>{});
  }

  template <class V, std::size_t... Is>
  static void read_alternative(const msgpack::object& source, V& x,
                               std::size_t index, std::index_sequence<Is...>) {
    ((index == Is ? read(source, x.template emplace<Is>()) : void()), ...);
  }

  const msgpack::object* source_;
};

/// `x` as msgpack bytes behind `head`.
template <class T>
std::string write_msgpack(const T& x, std::string head = {}) {
  msgpack_writer writer{std::move(head)};
  writer.write(x);
  return writer.take();
}

/// Adds up how many elements the collections claim to have. Each takes a byte
/// at least, so more of them than bytes is a forgery, for which nothing must be
/// reserved.
struct msgpack_counter : msgpack::null_visitor {
  std::uint64_t elements = 0;
  std::uint64_t limit = 0;

  bool start_array(std::uint32_t count) { return add(count); }
  bool start_map(std::uint32_t count) { return add(2ull * count); }

private:
  bool add(std::uint64_t count) {
    elements += count;
    return elements <= limit;
  }
};

/// Reads all of `bytes` into `x`. On failure returns what did not fit; `x` is
/// then unspecified. `newer` tells whether a newer version wrote the bytes.
template <class T>
std::optional<std::string> read_msgpack(std::string_view bytes, T& x,
                                        bool* newer = nullptr) {
  // Nothing of ours nests deeper.
  constexpr std::size_t depth = 32;
  auto size = bytes.size();
  msgpack::unpack_limit limit{size, size, size, size, size, depth};
  try {
    msgpack_counter counter;
    counter.limit = size;
    std::size_t counted = 0;
    if (!msgpack::parse(bytes.data(), size, counted, counter))
      return counter.elements > size ? "more elements than bytes"
                                     : "insufficient bytes";
    std::size_t offset = 0;
    auto handle =
      msgpack::unpack(bytes.data(), size, offset, nullptr, nullptr, limit);
    if (offset != size)
      return "trailing bytes";
    msgpack_reader::read(handle.get(), x);
    return std::nullopt;
  } catch (const msgpack_newer& failure) {
    if (newer)
      *newer = true;
    return failure.what();
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

} // namespace troupe

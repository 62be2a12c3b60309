#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "messages/cache.hpp"

namespace troupe {

class entry;

struct entry_deleter {
  void operator()(entry* x) const noexcept;
};

using entry_ptr = std::unique_ptr<entry, entry_deleter>;

/// A key and its value in one heap block: an 8-byte header, the deadline if
/// there is one, the key, the value. 16 B + 100 B without deadline make 124
/// bytes, which fit mimalloc's class of 128; so the header must not grow.
class entry {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using deadline = std::optional<time_point>;

  /// Bounds of what the header can say.
  static constexpr std::uint64_t max_key_bytes = (1u << 24) - 1;
  static constexpr std::uint64_t max_value_bytes = UINT32_MAX;

  static entry_ptr make(std::string_view key, std::string_view value,
                        value_encoding encoding, deadline expires);

  /// Bytes of the block for such an entry.
  static std::size_t size_for(std::size_t key, std::size_t value,
                              bool expires) noexcept {
    return sizeof(entry) + (expires ? sizeof(time_point) : 0) + key + value;
  }

  /// Takes a new value in place if the block has just the size for it.
  bool assign(std::string_view value, value_encoding encoding,
              deadline expires) noexcept;

  std::size_t size() const noexcept {
    return size_for(key_size_, value_size_, has_deadline());
  }

  std::string_view key() const noexcept {
    return {tail() + deadline_size(), key_size_};
  }

  std::string_view value() const noexcept {
    return {tail() + deadline_size() + key_size_, value_size_};
  }

  value_encoding encoding() const noexcept {
    return static_cast<value_encoding>(encoding_);
  }

  bool has_deadline() const noexcept { return has_deadline_ != 0; }

  bool expired(time_point now) const noexcept {
    return has_deadline() && read_deadline() <= now;
  }

  /// Time left in ms, rounded up, or `no_ttl`.
  std::int64_t ttl_ms(time_point now) const noexcept;

  // What the eviction policy remembers, see `store`.

  /// Uses since it was last considered for eviction, at most 3.
  std::uint32_t uses() const noexcept { return uses_; }

  void used() noexcept {
    if (uses_ < 3)
      ++uses_;
  }

  void forget_use() noexcept { --uses_; }

  void forget_uses() noexcept { uses_ = 0; }

  /// Whether it is in the main queue.
  bool in_main() const noexcept { return in_main_ != 0; }

  void in_main(bool x) noexcept { in_main_ = x ? 1 : 0; }

private:
  entry() = default;

  void fill(std::string_view value, value_encoding encoding,
            deadline expires) noexcept;

  std::size_t deadline_size() const noexcept {
    return has_deadline() ? sizeof(time_point) : 0;
  }

  const char* tail() const noexcept {
    return reinterpret_cast<const char*>(this + 1);
  }

  char* tail() noexcept { return reinterpret_cast<char*>(this + 1); }

  time_point read_deadline() const noexcept;

  std::uint32_t value_size_ = 0;
  std::uint32_t key_size_ : 24 = 0;
  std::uint32_t encoding_ : 3 = 0;
  std::uint32_t has_deadline_ : 1 = 0;
  std::uint32_t in_main_ : 1 = 0;
  std::uint32_t uses_ : 2 = 0;
};

static_assert(sizeof(entry) == 8);

} // namespace troupe

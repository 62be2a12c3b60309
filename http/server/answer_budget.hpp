#pragma once

#include <atomic>
#include <cstdint>

namespace troupe {

/// Bounds the memory of answers that their clients have not read yet, those of
/// one io thread's connections. For that thread, but for `held`.
class answer_budget {
public:
  explicit answer_budget(std::uint64_t limit) : limit_(limit) {}

  /// Whether `bytes` more stay within the limit. One answer of any size does
  /// when no other is held: else a small limit would forbid it for ever.
  bool has_room(std::uint64_t bytes) const noexcept {
    return held() == 0 || held() + bytes <= limit_;
  }

  void take(std::uint64_t bytes) noexcept { set(held() + bytes); }

  void give_back(std::uint64_t bytes) noexcept { set(held() - bytes); }

  std::uint64_t held() const noexcept {
    return held_.load(std::memory_order_relaxed);
  }

private:
  /// One thread writes: no read-modify-write is needed.
  void set(std::uint64_t bytes) noexcept {
    held_.store(bytes, std::memory_order_relaxed);
  }

  const std::uint64_t limit_;
  std::atomic<std::uint64_t> held_{0};
};

} // namespace troupe

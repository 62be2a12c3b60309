#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace troupe {

/// How many descriptors the proxy's connections may take, to clients and to
/// servers together, over all io threads. What the process may open beyond it
/// stays for the replicated log, the other nodes and the API: a flood of
/// clients must not end a node.
class descriptor_budget {
public:
  explicit descriptor_budget(std::uint64_t limit) : limit_(limit) {}

  /// False: there is none left.
  bool take() noexcept {
    if (in_use_.fetch_add(1, std::memory_order_relaxed) < limit_)
      return true;
    give_back();
    return false;
  }

  void give_back() noexcept { in_use_.fetch_sub(1, std::memory_order_relaxed); }

  std::uint64_t limit() const noexcept { return limit_; }

  std::uint64_t in_use() const noexcept {
    return in_use_.load(std::memory_order_relaxed);
  }

  /// Whether so few are left that nobody should hold one in store.
  bool is_scarce() const noexcept { return in_use() > limit_ - limit_ / 4; }

private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> in_use_{0};
};

using descriptor_budget_ptr = std::shared_ptr<descriptor_budget>;

inline descriptor_budget_ptr unlimited_descriptors() {
  return std::make_shared<descriptor_budget>(
    std::numeric_limits<std::uint64_t>::max());
}

/// One descriptor of the budget, given back when this goes.
class descriptor_share {
public:
  descriptor_share() = default;

  /// Empty when there is none left.
  explicit descriptor_share(const descriptor_budget_ptr& budget)
    : budget_(budget->take() ? budget : nullptr) {}

  descriptor_share(descriptor_share&& other) noexcept
    : budget_(std::move(other.budget_)) {}

  descriptor_share& operator=(descriptor_share&& other) noexcept {
    std::swap(budget_, other.budget_);
    return *this;
  }

  ~descriptor_share() { release(); }

  explicit operator bool() const noexcept { return budget_ != nullptr; }

  void release() noexcept {
    if (auto budget = std::exchange(budget_, nullptr))
      budget->give_back();
  }

private:
  descriptor_budget_ptr budget_;
};

} // namespace troupe

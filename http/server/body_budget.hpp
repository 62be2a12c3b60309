#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace troupe {

/// Bounds the memory of all request bodies that are in this process at a time.
/// Shared by the io threads.
class body_budget {
public:
  explicit body_budget(std::uint64_t limit) : limit_(limit) {}

  /// False: that would be too much; nothing is taken.
  bool take(std::uint64_t bytes) noexcept {
    if (in_flight_.fetch_add(bytes) + bytes <= limit_)
      return true;
    give_back(bytes);
    return false;
  }

  void give_back(std::uint64_t bytes) noexcept { in_flight_.fetch_sub(bytes); }

  std::uint64_t limit() const noexcept { return limit_; }
  std::uint64_t in_flight() const noexcept { return in_flight_.load(); }

private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> in_flight_{0};
};

/// One body's share of the budget, given back when the body goes. Without a
/// budget there is no bound.
class body_share {
public:
  body_share() = default;

  explicit body_share(std::shared_ptr<body_budget> budget)
    : budget_(std::move(budget)) {}

  body_share(body_share&& other) noexcept
    : budget_(std::move(other.budget_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

  body_share& operator=(body_share&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  ~body_share() {
    if (budget_)
      budget_->give_back(bytes_);
  }

  /// False: the budget does not have so much more.
  bool grow(std::uint64_t bytes) noexcept {
    if (budget_ && !budget_->take(bytes))
      return false;
    bytes_ += bytes;
    return true;
  }

private:
  std::shared_ptr<body_budget> budget_;
  std::uint64_t bytes_ = 0;
};

} // namespace troupe

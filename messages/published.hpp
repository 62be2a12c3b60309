#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

/// A value with one writer and many readers on other threads. The writer
/// replaces it whole; a reader holds an immutable snapshot. Reading costs one
/// atomic load while nothing changed.
template <class T>
class published {
public:
  using snapshot = std::shared_ptr<const T>;

  explicit published(T initial = {})
    : current_(std::make_shared<const T>(std::move(initial))) {}

  /// Replaces the value. Readers see it at their next `get`.
  void set(snapshot next) {
    {
      std::lock_guard guard{mutex_};
      current_ = std::move(next);
      version_.fetch_add(1, std::memory_order_release);
    }
    std::lock_guard guard{listeners_mutex_};
    std::erase_if(listeners_, [](auto& listener) { return !listener(); });
  }

  void set(T next) { set(std::make_shared<const T>(std::move(next))); }

  /// The value now. For cold paths; hot ones keep a `published_reader`. Name it
  /// before a loop over a part of it: `for (auto& x : v.get()->part)` outlives
  /// the snapshot.
  snapshot get() const {
    std::lock_guard guard{mutex_};
    return current_;
  }

  /// Calls `listener` after each `set`, on the writer's thread, until it
  /// returns false. It must neither block nor subscribe.
  void subscribe(std::function<bool()> listener) {
    std::lock_guard guard{listeners_mutex_};
    listeners_.push_back(std::move(listener));
  }

  /// Grows with each `set`.
  std::uint64_t version() const noexcept {
    return version_.load(std::memory_order_acquire);
  }

private:
  std::atomic<std::uint64_t> version_{1};
  mutable std::mutex mutex_;
  snapshot current_;
  std::mutex listeners_mutex_;
  std::vector<std::function<bool()>> listeners_;
};

/// A thread's own view of a `published` value.
template <class T>
class published_reader {
public:
  explicit published_reader(std::shared_ptr<const published<T>> source)
    : source_(std::move(source)) {}

  /// The newest snapshot; valid until the next call.
  const T& get() { return *share(); }

  /// The newest snapshot, to be kept.
  const std::shared_ptr<const T>& share() {
    auto version = source_->version();
    if (version != seen_) {
      cached_ = source_->get();
      seen_ = version;
    }
    return cached_;
  }

private:
  std::shared_ptr<const published<T>> source_;
  std::shared_ptr<const T> cached_;
  std::uint64_t seen_ = 0;
};

} // namespace troupe

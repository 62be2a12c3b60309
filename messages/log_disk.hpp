#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace troupe {

/// How the disk under a node's Raft log does. The log and the catalog tell;
/// any thread may look, so a disk that hangs can be seen while everybody who
/// asks the log itself waits with it.
class log_disk {
public:
  using clock = std::chrono::steady_clock;

  /// Bounds of the histogram of synced writes; what took longer is counted in
  /// one bucket more. From an NVMe drive's half millisecond to a hang.
  static constexpr std::array<std::chrono::microseconds, 14> bounds{
    {std::chrono::microseconds{500}, std::chrono::milliseconds{1},
     std::chrono::microseconds{2500}, std::chrono::milliseconds{5},
     std::chrono::milliseconds{10}, std::chrono::milliseconds{25},
     std::chrono::milliseconds{50}, std::chrono::milliseconds{100},
     std::chrono::milliseconds{250}, std::chrono::milliseconds{500},
     std::chrono::seconds{1}, std::chrono::milliseconds{2500},
     std::chrono::seconds{5}, std::chrono::seconds{10}}};

  struct report {
    /// Synced writes by how long they took, not summed up.
    std::array<std::uint64_t, bounds.size() + 1> writes{};
    clock::duration total{};
    /// Since when the oldest write waits that is not durable yet.
    std::optional<clock::time_point> waiting_since;
    /// Why nothing can be written, in words; empty when all is well.
    std::string trouble;
  };

  // -- by the log -------------------------------------------------------------

  /// A write is durable, and took that long.
  void wrote(clock::duration took);

  /// The system has no room for a write: "the disk is full". Empty: it has
  /// again.
  void set_refusal(std::string why);
  std::string refusal() const;

  // -- by the catalog ---------------------------------------------------------

  void set_waiting_since(std::optional<clock::time_point> since);
  void set_trouble(std::string what);

  // -- by whoever looks -------------------------------------------------------

  report get() const;

private:
  mutable std::mutex mutex_;
  report report_;
  std::string refusal_;
};

using log_disk_ptr = std::shared_ptr<log_disk>;

} // namespace troupe

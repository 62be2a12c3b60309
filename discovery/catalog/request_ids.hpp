#pragma once

#include <atomic>
#include <cstdint>
#include <random>

namespace troupe {

/// Tells the commands of this process from those of any other. A node's id and
/// incarnation don't: both come from its data directory, and of that there may
/// be copies. One for each process; a catalog that is restarted within it goes
/// on with the same. Thread-safe.
class request_ids {
public:
  /// With a number from the system's random source.
  request_ids() : request_ids(draw()) {}

  /// With a number that a test chose.
  explicit request_ids(std::uint64_t process) : process_(process) {}

  std::uint64_t process() const { return process_; }

  /// The next command's sequence; none is given twice.
  std::uint64_t next_sequence() { return ++last_; }

private:
  static std::uint64_t draw() {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
  }

  std::uint64_t process_;
  std::atomic<std::uint64_t> last_{0};
};

} // namespace troupe

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct half_open_limits {
  std::size_t total = 64;
  std::size_t per_address = 8;
  /// From accept to the end of the handshake.
  std::chrono::milliseconds deadline{2000};
};

/// The connections that have not proved yet who they are: how many there may
/// be, and for how long. A full table does not turn the newcomer away but drops
/// the oldest, of the address that has most: a node proves itself in
/// milliseconds, so whoever occupies places by waiting loses them first. Only
/// who fills the table anew within those milliseconds, from as many addresses,
/// can lock a node out. Pure; time is an argument.
class half_open_table {
public:
  using id = std::uint64_t;
  using time_point = std::chrono::steady_clock::time_point;

  struct admission {
    id newcomer;
    /// Has to be closed; it is no longer in the table.
    std::optional<id> dropped;
  };

  explicit half_open_table(half_open_limits limits) : limits_(limits) {}

  /// @param address whose connections count together; see `limit_key`.
  admission admit(const std::string& address, time_point now);

  /// It has ended, well or not. Unknown ones are ignored.
  void remove(id which);

  /// Those whose deadline has passed. They are no longer in the table.
  std::vector<id> take_expired(time_point now);

  /// When `take_expired` has something next; nothing: the table is empty.
  std::optional<time_point> next_deadline() const;

  std::size_t size() const noexcept { return entries_.size(); }

  const half_open_limits& limits() const noexcept { return limits_; }

private:
  struct entry {
    std::string address;
    time_point since;
  };

  std::optional<id> drop_for(const std::string& address);
  std::size_t largest_count() const;

  half_open_limits limits_;
  id next_ = 1;
  /// Oldest first: ids grow.
  std::map<id, entry> entries_;
  std::map<std::string, std::size_t> per_address_;
};

/// The address by which connections are counted: an IPv4 address as it is, of
/// an IPv6 address the network (/64), whose owner has all the rest.
std::string limit_key(const std::string& address);

} // namespace troupe

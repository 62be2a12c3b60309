#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <caf/expected.hpp>

#include "messages/cluster.hpp"

// A large Raft message crosses the wire in parts: what is urgent goes between
// them, and a slow link shows that it is alive with each of them.

namespace troupe {

/// The sender's side of one message. A few parts are on their way at once.
class parted_message {
public:
  parted_message(std::uint64_t transfer, std::string bytes,
                 std::size_t part_bytes)
    : transfer_(transfer), bytes_(std::move(bytes)), part_bytes_(part_bytes) {}

  /// The part to send now; nothing while enough are on their way, or when all
  /// were sent.
  std::optional<raft_message_part> next(member_id self);

  /// One of them has arrived.
  void arrived() { --under_way_; }

  bool complete() const { return sent_ == bytes_.size() && under_way_ == 0; }

  std::uint64_t transfer() const { return transfer_; }

private:
  std::uint64_t transfer_;
  std::string bytes_;
  std::size_t part_bytes_;
  std::size_t sent_ = 0;
  std::uint32_t under_way_ = 0;
};

/// The receiver's side: puts the parts of one peer's messages together, one
/// message after the other.
class part_collector {
public:
  /// Of one message.
  static constexpr std::uint64_t max_bytes = 1u << 30;

  /// Returns the message with its last part. The first part of another message
  /// makes it forget the one before.
  /// Errors: conflict (not the part that comes next), corrupt (no correct
  /// sender makes such a part).
  caf::expected<std::optional<std::string>> take(const raft_message_part& x);

private:
  std::uint64_t transfer_ = 0;
  std::uint64_t size_ = 0;
  std::string bytes_;
};

} // namespace troupe

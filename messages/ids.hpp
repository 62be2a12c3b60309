#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Identity of a node: random, not zero, drawn once and kept in the data
/// directory. It is the node's server id in Raft too. Printed as 16 hex digits.
enum class member_id : std::uint64_t { none = 0 };

std::string to_string(member_id id);

/// Reads what `to_string` printed. Nothing when `text` is anything else.
std::optional<member_id> parse_member_id(std::string_view text);

/// Number of hash slots of the cache, as in Redis Cluster.
inline constexpr std::uint32_t slot_count = 16384;

/// Version of everything that crosses the wire or stands in the log. Nodes
/// that differ by more than one refuse each other. What it takes to raise it:
/// docs/decisions/0008. Not a constant of the header: a test links a build of
/// another version by this one definition.
extern const std::uint16_t protocol_version;

/// Whether nodes of these two can be in one cluster.
bool can_talk(std::uint16_t one_protocol, std::uint16_t other_protocol);

/// The program's version, as in `troupe version`.
inline constexpr std::string_view program_version = "0.1.0";

/// Milliseconds since the Unix epoch, for times that people read. Never
/// subtracted from each other across nodes.
using unix_ms = std::int64_t;

/// `2026-01-31T12:00:00.000Z` (RFC 3339, UTC).
std::string to_rfc3339(unix_ms at);

/// The wall clock now.
unix_ms unix_now();

} // namespace troupe

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <caf/expected.hpp>

namespace troupe {

/// Where a service is, by an SRV record (RFC 2782).
struct srv_target {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;

  bool operator==(const srv_target&) const = default;
};

/// The SRV records of a name server's answer, by rising priority value and,
/// where that is equal, by falling weight. Those without host or port (RFC
/// 2782: "decidedly not available") are left out.
/// Errors: malformed.
caf::expected<std::vector<srv_target>>
parse_srv_answer(std::span<const std::uint8_t> answer);

} // namespace troupe

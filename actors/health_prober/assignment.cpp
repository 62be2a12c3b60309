#include "actors/health_prober/assignment.hpp"

#include <utility>

#include <xxhash.h>

namespace troupe {

member_id prober_of(std::string_view server_id,
                    std::span<const member_id> members) {
  std::pair<std::uint64_t, member_id> best{0, member_id::none};
  for (auto member : members) {
    auto seed = static_cast<std::uint64_t>(member);
    auto score = XXH3_64bits_withSeed(server_id.data(), server_id.size(), seed);
    best = std::max(best, {score, member});
  }
  return best.second;
}

} // namespace troupe

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace troupe {

/// One whole round of smooth weighted round-robin (as nginx's upstream module
/// does it): indexes into `weights`, each as often as its share, spread as
/// evenly as whole numbers allow. Weights of 0 never appear. Weights are first
/// divided by their greatest common divisor, and scaled down when the round
/// would still be longer than `max_length`; every positive weight keeps at
/// least one turn.
std::vector<std::uint16_t>
smooth_schedule(std::span<const std::uint32_t> weights,
                std::size_t max_length = 4096);

} // namespace troupe

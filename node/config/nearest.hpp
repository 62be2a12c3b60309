#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace troupe {

/// How many characters have to be inserted, removed, replaced or swapped with
/// their neighbour to make `b` of `a` (optimal string alignment). Letters'
/// case, `.`, `_` and `-` count for nothing.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name that `wrong` was probably meant to be, or an empty view: the one
/// of the least distance, when that is small beside the length; else one whose
/// last key (behind the last dot) equals that of `wrong`.
std::string_view nearest_name(std::string_view wrong,
                              std::span<const std::string_view> names);

} // namespace troupe

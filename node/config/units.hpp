#pragma once

#include <cstdint>

// Bounds of options, in the units of the options: bytes, milliseconds.

namespace troupe {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t tib = 1024 * 1024 * mib;

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
/// Seconds.
constexpr std::int64_t year_s = 365 * 86'400;

} // namespace troupe

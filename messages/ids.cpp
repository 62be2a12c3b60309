#include "messages/ids.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace troupe {

std::string to_string(member_id id) {
  return fmt::format("{:016x}", static_cast<std::uint64_t>(id));
}

std::optional<member_id> parse_member_id(std::string_view text) {
  std::uint64_t value = 0;
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, value, 16);
  if (text.size() != 16 || failure != std::errc{} || end != last || value == 0)
    return std::nullopt;
  return member_id{value};
}

bool can_talk(std::uint16_t one_protocol, std::uint16_t other_protocol) {
  auto [lower, higher] = std::minmax(one_protocol, other_protocol);
  return higher - lower <= 1;
}

std::string to_rfc3339(unix_ms at) {
  auto seconds = static_cast<std::time_t>(at / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds),
                     at % 1000);
}

unix_ms unix_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
    .count();
}

} // namespace troupe

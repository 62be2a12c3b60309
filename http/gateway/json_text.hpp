#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// How deep arrays and objects may be nested, on the way in and out.
inline constexpr std::uint32_t max_json_depth = 100;

/// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest text that reads back as `value`; `null` for what JSON
/// has no number for.
void append_json_number(std::string& out, double value);

/// Appends the JSON text of a msgpack value, without a tree between. False when
/// `bytes` are not one msgpack value that JSON can express, or nested too deep;
/// `out` is then unspecified.
bool append_json_of_msgpack(std::string& out, std::string_view bytes);

bool is_utf8(std::string_view text);

std::string to_base64(std::string_view bytes);

} // namespace troupe

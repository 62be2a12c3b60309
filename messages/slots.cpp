#include "messages/slots.hpp"

#include <array>

#include "messages/ids.hpp"

namespace troupe {

namespace {

/// CRC16-XMODEM: polynomial 0x1021, initial value 0, not reflected.
constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i << 8;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}

constexpr auto table = make_table();

std::uint16_t crc16(std::string_view bytes) {
  std::uint16_t crc = 0;
  for (unsigned char byte : bytes)
    crc = static_cast<std::uint16_t>((crc << 8)
                                     ^ table[((crc >> 8) ^ byte) & 0xff]);
  return crc;
}

} // namespace

std::uint16_t slot_of(std::string_view key) {
  auto open = key.find('{');
  if (open != std::string_view::npos) {
    auto close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1)
      key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % slot_count;
}

} // namespace troupe

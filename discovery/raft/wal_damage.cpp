#include "discovery/raft/wal_damage.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <boost/crc.hpp>

namespace troupe {

namespace {

constexpr std::size_t block_size = 32768;
/// Checksum, length and type.
constexpr std::size_t header_size = 7;
/// The header of space that was set aside.
constexpr char unwritten[header_size] = {};

using crc32c =
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t result = 0;
  for (auto i = bytes.size(); i-- > 0;)
    result = result << 8 | static_cast<std::uint8_t>(bytes[i]);
  return result;
}

/// RocksDB stores checksums so that the checksum of a checksum is none.
std::uint32_t unmasked(std::uint32_t masked) {
  auto rotated = masked - 0xa282ead8u;
  return rotated >> 17 | rotated << 15;
}

/// A record's size with its header, or nothing when it is damaged. `bytes` is
/// the rest of its block.
std::optional<std::size_t> record_size(std::string_view bytes) {
  auto length = little_endian(bytes.substr(4, 2));
  if (header_size + length > bytes.size())
    return std::nullopt;
  crc32c sum;
  sum.process_bytes(bytes.data() + 6, 1 + length);
  auto stored =
    unmasked(static_cast<std::uint32_t>(little_endian(bytes.substr(0, 4))));
  if (sum.checksum() != stored)
    return std::nullopt;
  return header_size + length;
}

std::optional<std::uint64_t> damaged_offset(std::string_view log) {
  for (std::size_t block = 0; block < log.size(); block += block_size) {
    auto bytes = log.substr(block, block_size);
    std::size_t at = 0;
    while (bytes.size() - at >= header_size) {
      auto rest = bytes.substr(at);
      if (rest.substr(0, header_size)
          == std::string_view{unwritten, header_size})
        break;
      auto size = record_size(rest);
      if (!size)
        return block + at;
      at += *size;
    }
  }
  return std::nullopt;
}

} // namespace

std::optional<wal_damage>
find_wal_damage(const std::filesystem::path& directory) {
  std::error_code ignored;
  std::vector<std::filesystem::path> logs;
  for (auto& file : std::filesystem::directory_iterator{directory, ignored})
    if (file.path().extension() == ".log")
      logs.push_back(file.path());
  std::sort(logs.begin(), logs.end());
  for (auto& log : logs) {
    std::ifstream in{log, std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    if (auto offset = damaged_offset(bytes))
      return wal_damage{log, *offset};
  }
  return std::nullopt;
}

} // namespace troupe

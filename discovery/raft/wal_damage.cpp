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

/// Types of records. A write is one record, or several of which each but the
/// last ends with its block.
enum class record_type : std::uint8_t { full = 1, first, middle, last };

struct record {
  std::size_t size;
  record_type type;

  bool begins_a_write() const {
    return type == record_type::full || type == record_type::first;
  }
};

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

/// The record at the begin of `bytes`, the rest of a block; nothing when there
/// is none or it is damaged.
std::optional<record> read_record(std::string_view bytes) {
  if (bytes.size() < header_size)
    return std::nullopt;
  auto length = little_endian(bytes.substr(4, 2));
  auto type = static_cast<record_type>(bytes[6]);
  if (header_size + length > bytes.size() || type < record_type::full
      || type > record_type::last)
    return std::nullopt;
  crc32c sum;
  sum.process_bytes(bytes.data() + 6, 1 + length);
  auto stored =
    unmasked(static_cast<std::uint32_t>(little_endian(bytes.substr(0, 4))));
  if (sum.checksum() != stored)
    return std::nullopt;
  return record{header_size + length, type};
}

/// Whether a write begins behind a damaged record. Its length may be wrong, so
/// the next one may stand anywhere.
bool begins_a_write(std::string_view rest_of_block) {
  for (std::size_t at = 1; at + header_size <= rest_of_block.size(); ++at)
    if (auto found = read_record(rest_of_block.substr(at));
        found && found->begins_a_write())
      return true;
  return false;
}

std::optional<std::uint64_t> damaged_offset(std::string_view log) {
  std::optional<std::uint64_t> damaged;
  for (std::size_t block = 0; block < log.size(); block += block_size) {
    auto bytes = log.substr(block, block_size);
    std::size_t at = 0;
    // Less than a header is left empty at the end of a block.
    while (bytes.size() - at >= header_size) {
      auto found = read_record(bytes.substr(at));
      if (damaged && found && found->begins_a_write())
        return damaged;
      if (!found) {
        damaged = damaged.value_or(block + at);
        if (begins_a_write(bytes.substr(at)))
          return damaged;
        break;
      }
      at += found->size;
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

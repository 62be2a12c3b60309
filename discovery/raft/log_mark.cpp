#include "discovery/raft/log_mark.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <boost/crc.hpp>

#include "messages/error.hpp"

namespace troupe {

namespace {

constexpr std::uint64_t mark_format = 0x31'6b'72'61'6d'70'72'74; // "trpmark1"

/// A disk writes a sector as a whole or not at all.
constexpr off_t place_size = 4096;

/// Format, generation, sequence, term, last index, checksum of these.
constexpr std::size_t field_count = 6;
constexpr std::size_t record_size = field_count * sizeof(std::uint64_t);
using mark_record = std::array<std::uint8_t, record_size>;

std::uint64_t checksum(const mark_record& bytes) {
  boost::crc_optimal<64, 0x42F0E1EBA9EA3693, ~0ull, ~0ull, true, true> sum;
  sum.process_bytes(bytes.data(), record_size - sizeof(std::uint64_t));
  return sum.checksum();
}

void put(mark_record& bytes, std::size_t field, std::uint64_t value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    bytes[field * sizeof value + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

std::uint64_t get(const mark_record& bytes, std::size_t field) {
  std::uint64_t result = 0;
  for (auto i = sizeof result; i-- > 0;)
    result = result << 8 | bytes[field * sizeof result + i];
  return result;
}

} // namespace

log_mark_file::log_mark_file(std::filesystem::path file, int descriptor)
  : file_(std::move(file)), descriptor_(descriptor) {
}

log_mark_file::log_mark_file(log_mark_file&& other) noexcept
  : file_(std::move(other.file_)),
    descriptor_(std::exchange(other.descriptor_, -1)), last_(other.last_),
    generation_(other.generation_) {
}

log_mark_file& log_mark_file::operator=(log_mark_file&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(descriptor_, other.descriptor_);
  last_ = other.last_;
  generation_ = other.generation_;
  return *this;
}

log_mark_file::~log_mark_file() {
  if (descriptor_ < 0)
    return;
  ::fdatasync(descriptor_);
  ::close(descriptor_);
}

caf::expected<log_mark_file>
log_mark_file::open(const std::filesystem::path& file) {
  log_mark_file result{
    file, ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (result.descriptor_ < 0)
    return result.failed("can't open");
  // A mark that finds no room would be one more way for a full disk to end the
  // node.
  errno = ::posix_fallocate(result.descriptor_, 0, 2 * place_size);
  if (errno != 0 && errno != EOPNOTSUPP)
    return result.failed("can't make room in");
  if (auto problem = result.read())
    return problem;
  return caf::expected<log_mark_file>{std::move(result)};
}

caf::error log_mark_file::read() {
  auto unreadable = 0;
  for (off_t place : {0, 1}) {
    mark_record bytes{};
    auto size =
      ::pread(descriptor_, bytes.data(), record_size, place * place_size);
    if (size < 0)
      return failed("can't read");
    if (bytes == mark_record{})
      continue; // never written
    if (static_cast<std::size_t>(size) < record_size
        || get(bytes, 0) != mark_format
        || get(bytes, field_count - 1) != checksum(bytes)) {
      ++unreadable;
      continue;
    }
    if (auto generation = get(bytes, 1); generation > generation_) {
      generation_ = generation;
      last_ = {get(bytes, 2), get(bytes, 3), get(bytes, 4)};
    }
  }
  if (unreadable > 0 && !last_)
    return make_error(errc::corrupt,
                      file_.string() + ": neither of its marks can be read");
  return caf::none;
}

caf::error log_mark_file::write(const log_mark& what) {
  if (last_ == what)
    return caf::none;
  mark_record bytes{};
  put(bytes, 0, mark_format);
  put(bytes, 1, generation_ + 1);
  put(bytes, 2, what.sequence);
  put(bytes, 3, what.term);
  put(bytes, 4, what.last_index);
  put(bytes, field_count - 1, checksum(bytes));
  auto place = static_cast<off_t>((generation_ + 1) % 2);
  auto size =
    ::pwrite(descriptor_, bytes.data(), record_size, place * place_size);
  if (size != static_cast<ssize_t>(record_size))
    return failed("can't write");
  ++generation_;
  last_ = what;
  return caf::none;
}

caf::error log_mark_file::sync() {
  return ::fdatasync(descriptor_) == 0 ? caf::error{} : failed("can't sync");
}

caf::error log_mark_file::failed(const char* what) const {
  auto code = errno;
  auto lacks_room =
    code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE;
  auto why = code == ENOSPC ? "the disk is full" : std::strerror(code);
  return make_error(lacks_room ? errc::overloaded : errc::storage_failed,
                    std::string{what} + " " + file_.string() + ": " + why);
}

} // namespace troupe

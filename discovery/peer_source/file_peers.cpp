#include "discovery/peer_source/file_peers.hpp"

#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "discovery/peer_source/peer_list.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

constexpr std::size_t largest_file = 1024 * 1024;

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  int get() const { return fd_; }

private:
  int fd_;
};

/// Tells one state of a file from another.
struct file_stamp {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  bool operator==(const file_stamp&) const = default;
};

file_stamp stamp_of(const struct stat& what) {
  return {what.st_mtim.tv_sec, what.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(what.st_size), what.st_dev, what.st_ino};
}

class file_finder : public peer_finder {
public:
  explicit file_finder(std::filesystem::path path) : path_(std::move(path)) {}

  caf::expected<findings> look() override {
    struct stat now {};
    if (::stat(path_.c_str(), &now) != 0)
      return failed(std::strerror(errno));
    auto stamp = stamp_of(now);
    // Once more after each change: a second one within a tick of the file
    // system's clock leaves the stamp as it is.
    if (stamp == read_stamp_ && stamp == previous_stamp_)
      return last_;
    previous_stamp_ = read_stamp_;
    auto text = read();
    if (!text)
      return std::move(text.error());
    last_ = parse_peer_list(*text, path_);
    return last_;
  }

private:
  caf::error failed(const std::string& why) {
    read_stamp_ = previous_stamp_ = std::nullopt;
    return make_error(errc::unavailable, path_.string() + ": " + why);
  }

  caf::expected<std::string> read() {
    // A pipe without a writer would block in open.
    descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat opened {};
    if (file.get() < 0 || ::fstat(file.get(), &opened) != 0)
      return failed(std::strerror(errno));
    if (!S_ISREG(opened.st_mode))
      return failed("is no regular file");
    read_stamp_ = stamp_of(opened);
    std::string result(largest_file + 1, '\0');
    std::size_t size = 0;
    while (size < result.size()) {
      auto got = ::read(file.get(), result.data() + size, result.size() - size);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return failed(std::strerror(errno));
      if (got == 0)
        break;
      size += static_cast<std::size_t>(got);
    }
    if (size > largest_file)
      return failed(fmt::format("is larger than {} bytes", largest_file));
    result.resize(size);
    return result;
  }

  std::filesystem::path path_;
  findings last_;
  /// Of the file as it was read last, and the time before.
  std::optional<file_stamp> read_stamp_;
  std::optional<file_stamp> previous_stamp_;
};

} // namespace

std::shared_ptr<peer_finder> find_in_file(std::filesystem::path path) {
  return std::make_shared<file_finder>(std::move(path));
}

} // namespace troupe

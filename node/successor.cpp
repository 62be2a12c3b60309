#include "node/successor.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

std::vector<std::string> own_arguments() {
  std::ifstream file{"/proc/self/cmdline"};
  std::vector<std::string> result;
  for (std::string argument; std::getline(file, argument, '\0');)
    result.push_back(argument);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

caf::error failed(const std::string& what, int code) {
  return make_error(errc::unavailable,
                    what + ": " + std::generic_category().message(code));
}

/// Where the protocol wants them: one after another from
/// SD_LISTEN_FDS_START on, and open for the program.
bool put_in_place(const std::vector<int>& sockets) {
  constexpr int first = SD_LISTEN_FDS_START;
  auto behind = first + static_cast<int>(sockets.size());
  // Out of each other's way first.
  std::vector<int> copies;
  for (auto socket : sockets) {
    copies.push_back(::fcntl(socket, F_DUPFD_CLOEXEC, behind));
    if (copies.back() < 0)
      return false;
  }
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (::dup2(copies[i], first + static_cast<int>(i)) < 0)
      return false;
  return ::close_range(static_cast<unsigned>(behind), ~0U, CLOSE_RANGE_CLOEXEC)
         == 0;
}

} // namespace

named_sockets received_sockets() {
  named_sockets result;
  char** names = nullptr;
  auto count = ::sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    result[names[i]].push_back(SD_LISTEN_FDS_START + i);
    std::free(names[i]);
  }
  std::free(names);
  return result;
}

successor::successor() : arguments_(own_arguments()) {
  std::error_code ignored;
  program_ = std::filesystem::read_symlink("/proc/self/exe", ignored);
}

caf::error successor::check() const {
  std::vector<std::string> arguments{program_, "config", "check"};
  // Behind the program's name and `serve`.
  if (arguments_.size() > 2)
    arguments.insert(arguments.end(), arguments_.begin() + 2, arguments_.end());
  pid_t child = 0;
  auto code = ::posix_spawn(&child, program_.c_str(), nullptr, nullptr,
                            pointers(arguments).data(), environ);
  if (code != 0)
    return failed("can't run " + program_, code);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    // Again.
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return caf::none;
  return make_error(
    errc::unavailable,
    fmt::format("{} refuses the configuration, see its output", program_));
}

caf::error successor::take_over(const named_sockets& sockets) const {
  std::vector<int> all;
  std::string names;
  for (auto& [name, descriptors] : sockets)
    for (auto descriptor : descriptors) {
      names += (all.empty() ? "" : ":") + name;
      all.push_back(descriptor);
    }
  if (!put_in_place(all))
    return failed("can't hand the sockets over", errno);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(all.size()).c_str(), 1);
  ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
  auto arguments = arguments_;
  ::execv(program_.c_str(), pointers(arguments).data());
  return failed("can't run " + program_, errno);
}

} // namespace troupe

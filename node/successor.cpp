#include "node/successor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
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

/// Starts a program that has nothing of this process but its environment and
/// standard streams: no sockets, no blocked or ignored signals. Returns an
/// error number or 0.
int start_clean(const std::string& program, std::vector<std::string> arguments,
                pid_t& child) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  auto result = ::posix_spawn(&child, program.c_str(), &files, &attributes,
                              pointers(arguments).data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return result;
}

/// Its status once it has ended, or with WNOHANG nothing as long as it runs.
std::optional<int> status_of(pid_t child, int options) {
  int status = 0;
  pid_t ended = 0;
  do
    ended = ::waitpid(child, &status, options);
  while (ended < 0 && errno == EINTR);
  return ended == child ? std::optional{status} : std::nullopt;
}

/// Its status, or nothing if it had to be killed.
std::optional<int> wait_for_end(pid_t child, std::chrono::milliseconds limit) {
  using clock = std::chrono::steady_clock;
  auto deadline = clock::now() + limit;
  // glibc 2.36 declares it for C only.
  auto handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd ended{handle, POLLIN, 0};
  auto ready = 0;
  do {
    auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    ready = ::poll(&ended, 1, std::max<int>(0, static_cast<int>(left.count())));
  } while (ready < 0 && errno == EINTR);
  if (handle >= 0)
    ::close(handle);
  auto status = status_of(child, WNOHANG);
  if (!status) {
    ::kill(child, SIGKILL);
    status_of(child, 0);
  }
  return status;
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

successor::successor(std::string program, std::vector<std::string> arguments)
  : program_(std::move(program)), arguments_(std::move(arguments)) {
}

caf::error successor::check(std::chrono::milliseconds limit) const {
  std::vector<std::string> arguments{program_, "config", "check"};
  // Behind the program's name and `serve`.
  if (arguments_.size() > 2)
    arguments.insert(arguments.end(), arguments_.begin() + 2, arguments_.end());
  pid_t child = 0;
  if (auto code = start_clean(program_, arguments, child))
    return failed("can't run " + program_, code);
  // It may hang: the configuration may be on a dead mount, or a FIFO.
  auto status = wait_for_end(child, limit);
  if (!status)
    return make_error(errc::unavailable,
                      fmt::format("{} does not end its check of the "
                                  "configuration within {} ms",
                                  program_, limit.count()));
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0)
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

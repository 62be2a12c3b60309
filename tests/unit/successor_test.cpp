#define CAF_SUITE successor

#include "node/successor.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <caf/test/dsl.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

/// A program of the test's own, as a shell script.
struct fixture {
  fs::path script = fs::temp_directory_path()
                    / ("troupe-successor-" + std::to_string(getpid()));

  ~fixture() { fs::remove(script); }

  successor program(const std::string& text) {
    std::ofstream{script} << "#!/bin/sh\n" << text;
    fs::permissions(script, fs::perms::owner_all);
    return {script, {script, "serve", "--name", "node-1"}};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(successor_tests, fixture)

CAF_TEST(a configuration is accepted or refused by its check) {
  auto expects = R"([ "$*" = "config check --name node-1" ])";
  CAF_CHECK(!program(expects).check());
  auto refused = program("exit 2").check();
  CAF_CHECK_NOT_EQUAL(describe(refused).detail.find("refuses"),
                      std::string::npos);
}

CAF_TEST(a check that does not end is not waited for) {
  auto refused = program("exec sleep 100").check(100ms);
  CAF_REQUIRE(refused);
  CAF_CHECK(describe(refused).code == errc::unavailable);
  CAF_CHECK_NOT_EQUAL(describe(refused).detail.find("within 100 ms"),
                      std::string::npos);
}

CAF_TEST(a check has no sockets and no blocked or ignored signals) {
  auto open = ::fcntl(STDERR_FILENO, F_DUPFD, 200);
  CAF_REQUIRE(open >= 200);
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto ignoring = std::signal(SIGHUP, SIG_IGN);
  auto clean =
    program(
      "[ ! -e /proc/self/fd/" + std::to_string(open)
      + " ] && "
        "grep -q '^SigBlk:[[:space:]]*0*$' /proc/self/status && "
        "grep -q '^SigIgn:[[:space:]]*0*\\(180000000\\)*$' "
        // glibc's own two, 32 and 33, are ignored in each of its children.
        "/proc/self/status")
      .check();
  std::signal(SIGHUP, ignoring);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(open);
  CAF_CHECK(!clean);
}

CAF_TEST_FIXTURE_SCOPE_END()

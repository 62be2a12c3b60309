#define CAF_SUITE file_peers

#include "discovery/peer_source/file_peers.hpp"

#include <fstream>

#include <stdlib.h>
#include <sys/stat.h>

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

struct fixture {
  std::filesystem::path folder;
  std::filesystem::path file;
  std::shared_ptr<peer_finder> finder;

  fixture() {
    std::string name = std::filesystem::temp_directory_path() / "peersXXXXXX";
    folder = ::mkdtemp(name.data());
    file = folder / "peers";
    finder = find_in_file(file);
  }

  ~fixture() { std::filesystem::remove_all(folder); }

  static void write(const std::filesystem::path& to, std::string_view text) {
    std::ofstream{to} << text;
  }

  /// What a look brings: addresses, or the failure.
  std::string seen() {
    auto found = finder->look();
    if (!found)
      return "failed: " + describe(found.error()).detail;
    std::string result;
    for (auto& where : found->addresses)
      result += to_string(where) + " ";
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(file_peers_tests, fixture)

CAF_TEST(a file may come and go) {
  auto missing = "failed: " + file.string() + ": No such file or directory";
  CAF_CHECK_EQUAL(seen(), missing);
  write(file, "a:1\n");
  CAF_CHECK_EQUAL(seen(), "a:1 ");
  CAF_CHECK_EQUAL(seen(), "a:1 ");
  std::filesystem::remove(file);
  CAF_CHECK_EQUAL(seen(), missing);
  write(file, "b:1\n");
  CAF_CHECK_EQUAL(seen(), "b:1 ");
}

CAF_TEST(a change in place is seen) {
  write(file, "a:1\n");
  CAF_CHECK_EQUAL(seen(), "a:1 ");
  write(file, "a:1\nb:2\n");
  CAF_CHECK_EQUAL(seen(), "a:1 b:2 ");
}

CAF_TEST(a change within the same tick of the clock is seen) {
  write(file, "a:1\n");
  CAF_CHECK_EQUAL(seen(), "a:1 ");
  auto time = std::filesystem::last_write_time(file);
  write(file, "b:2\n");
  std::filesystem::last_write_time(file, time);
  CAF_CHECK_EQUAL(seen(), "b:2 ");
}

CAF_TEST(a file renamed over it is seen) {
  write(file, "a:1\n");
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(seen(), "a:1 ");
  auto time = std::filesystem::last_write_time(file);
  write(folder / "next", "b:2\n");
  std::filesystem::last_write_time(folder / "next", time);
  std::filesystem::rename(folder / "next", file);
  CAF_CHECK_EQUAL(seen(), "b:2 ");
}

CAF_TEST(what is no file is refused without waiting for it) {
  std::filesystem::create_directory(file);
  CAF_CHECK_EQUAL(seen(), "failed: " + file.string() + ": is no regular file");
  std::filesystem::remove(file);
  CAF_REQUIRE_EQUAL(::mkfifo(file.c_str(), 0600), 0);
  CAF_CHECK_EQUAL(seen(), "failed: " + file.string() + ": is no regular file");
}

CAF_TEST(a file that is too large is refused) {
  write(file, "");
  std::filesystem::resize_file(file, 1024 * 1024 + 1);
  CAF_CHECK_EQUAL(seen(), "failed: " + file.string()
                            + ": is larger than 1048576 bytes");
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE full_disk

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <caf/test/dsl.hpp>

#include <sys/mount.h>

#include "discovery/raft/log_storage.hpp"
#include "discovery/raft/raft_configuration.hpp"
#include "messages/error.hpp"

using namespace troupe;

// A file system that is really full. Needs the right to mount one; where that
// is missing, these tests say so and check nothing.

namespace {

namespace fs = std::filesystem;

struct fixture {
  fs::path folder;
  raft_log_config settings;
  bool mounted = false;

  fixture() {
    std::string pattern = fs::temp_directory_path() / "full_diskXXXXXX";
    folder = ::mkdtemp(pattern.data());
    settings = {folder / "raft", member_id{1}, "test"};
    mounted = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=8m") == 0;
    if (!mounted)
      CAF_MESSAGE("not checked: " << std::generic_category().message(errno));
  }

  ~fixture() {
    if (mounted)
      ::umount2(folder.c_str(), MNT_DETACH);
    fs::remove_all(folder);
  }

  fs::path ballast() const { return folder / "ballast"; }

  void fill() const {
    std::ofstream out{ballast(), std::ios::binary | std::ios::app};
    std::string block(4096, '\0');
    while (out.write(block.data(), 4096).flush())
      continue;
  }

  static log_write entries(std::uint64_t first, std::string bytes) {
    log_write result;
    result.term = 1;
    result.voted_for = member_id{1};
    result.commit = first;
    result.first_index = first;
    if (first == 1)
      result.entries.push_back(
        {1, entry_kind::change,
         encode_configuration({{member_id{1}, raft_role::voter}})});
    else
      result.entries.push_back({1, entry_kind::command, std::move(bytes)});
    return result;
  }

  static caf::error write(log_storage& log, const log_write& what) {
    return log.write({&what, 1});
  }

  log_storage open() {
    auto result = log_storage::open(settings);
    if (!result)
      CAF_FAIL(describe(result.error()).detail);
    return std::move(*result);
  }
};

bool is_lack_of_room(const caf::error& problem) {
  if (!problem)
    return false;
  auto view = describe(problem);
  return view.code == errc::overloaded
         && view.detail.find("the disk is full") != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(full_disk_tests, fixture)

CAF_TEST(what was durable stays and the refused write can be repeated) {
  if (!mounted)
    return;
  auto log = open();
  CAF_REQUIRE(!write(log, entries(1, {})));
  std::uint64_t next = 2;
  for (; next < 20; ++next)
    CAF_REQUIRE(!write(log, entries(next, std::string(1000, 'a'))));
  fill();
  // Until the space that its file has already is used up.
  caf::error refused;
  while (!(refused = write(log, entries(next, std::string(3000, 'b')))))
    ++next;
  CAF_CHECK(is_lack_of_room(refused));
  // To close it gives back what its file had reserved, once.
  auto refusals = 0;
  for (int i = 0; i < 5; ++i) {
    if (auto problem = log.reopen()) {
      CAF_CHECK(is_lack_of_room(problem));
      ++refusals;
    }
    fill();
  }
  CAF_CHECK_GREATER_OR_EQUAL(refusals, 3);
  fs::remove(ballast());
  CAF_REQUIRE(!log.reopen());
  auto found = log.load();
  CAF_REQUIRE(found);
  CAF_CHECK_GREATER_OR_EQUAL(found->entries.size(), next - 1);
  CAF_REQUIRE(!write(log, entries(next, std::string(3000, 'c'))));
  found = log.load();
  CAF_REQUIRE(found);
  CAF_REQUIRE_EQUAL(found->entries.size(), next);
  CAF_CHECK_EQUAL(found->entries.back().bytes, std::string(3000, 'c'));
  CAF_CHECK_EQUAL(found->entries[5].bytes, std::string(1000, 'a'));
}

CAF_TEST(a log without what was durable is not gone on with) {
  if (!mounted)
    return;
  auto log = open();
  for (std::uint64_t index = 1; index < 5; ++index)
    CAF_REQUIRE(!write(log, entries(index, "kept")));
  fill();
  std::uint64_t next = 5;
  while (!write(log, entries(next, std::string(3000, 'b'))))
    ++next;
  // Whoever made room took the wrong files.
  fs::remove_all(settings.path);
  fs::remove(ballast());
  auto problem = log.reopen();
  CAF_REQUIRE(problem);
  CAF_CHECK(describe(problem).code == errc::corrupt);
}

CAF_TEST(a log is not opened on a full disk and that is told) {
  if (!mounted)
    return;
  fill();
  auto problem = log_storage::open(settings);
  CAF_REQUIRE(!problem);
  CAF_CHECK(is_lack_of_room(problem.error()));
}

CAF_TEST(RocksDB keeps no file of messages of its own) {
  if (!mounted)
    return;
  open();
  open();
  for (auto& file : fs::directory_iterator{settings.path})
    CAF_CHECK(file.path().filename().string().rfind("LOG", 0) != 0);
}

CAF_TEST_FIXTURE_SCOPE_END()

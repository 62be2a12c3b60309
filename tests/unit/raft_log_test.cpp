#define CAF_SUITE raft_log

#include "discovery/raft/raft_log.hpp"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include <caf/test/dsl.hpp>

#include "discovery/raft/log_storage.hpp"
#include "discovery/raft/raft_configuration.hpp"
#include "discovery/raft/wal_damage.hpp"
#include "messages/error.hpp"
#include "no_more_descriptors.hpp"

using namespace troupe;

namespace {

namespace fs = std::filesystem;

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

const std::string configuration =
  encode_configuration({{member_id{1}, raft_role::voter}});

struct fixture {
  fs::path folder;
  raft_log_config settings;

  fixture() {
    std::string pattern = fs::temp_directory_path() / "raft_logXXXXXX";
    folder = ::mkdtemp(pattern.data());
    settings = {folder / "raft", member_id{1}, "test"};
  }

  ~fixture() { fs::remove_all(folder); }

  log_storage open() {
    auto result = log_storage::open(settings);
    if (!result)
      CAF_FAIL(describe(result.error()).detail);
    return std::move(*result);
  }

  error_view failure() {
    auto result = log_storage::open(settings);
    CAF_REQUIRE(!result);
    return describe(result.error());
  }

  log_contents contents() { return *open().load(); }

  static void write(log_storage& storage, log_write what) {
    auto error = storage.write({&what, 1});
    if (error)
      CAF_FAIL(describe(error).detail);
  }

  static log_write entries(std::uint64_t term, std::uint64_t first,
                           std::initializer_list<std::string> bytes) {
    log_write result;
    result.term = term;
    result.first_index = first;
    for (auto& each : bytes)
      result.entries.push_back({term, entry_kind::command, each});
    return result;
  }

  static log_write first_entry() {
    log_write result;
    result.term = 1;
    result.voted_for = member_id{1};
    result.first_index = 1;
    result.entries.push_back({1, entry_kind::change, configuration});
    return result;
  }

  static std::string read(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// The write-ahead log in which `text` stands.
  fs::path log_with(const std::string& text) const {
    for (auto& file : fs::directory_iterator{settings.path})
      if (file.path().extension() == ".log"
          && read(file).find(text) != std::string::npos)
        return file.path();
    return {};
  }

  fs::path mark() const { return settings.path.string() + ".mark"; }

  void keep_mark() const { fs::copy_file(mark(), folder / "kept-mark"); }

  void put_mark_back() const {
    fs::copy_file(folder / "kept-mark", mark(),
                  fs::copy_options::overwrite_existing);
  }

  /// Goes on with a copy of the log, because opening one changes it.
  void use_copy_of(const fs::path& original) {
    static int copies = 0;
    settings.path = folder / ("copy-" + std::to_string(++copies));
    fs::copy(original, settings.path, fs::copy_options::recursive);
    fs::copy_file(original.string() + ".mark", mark());
  }

  /// Calls `check` with each way in which the last write's bytes may be cut off
  /// or changed.
  template <class Check>
  void for_each_damage_of_last_write(const Check& check) {
    auto original = settings.path;
    auto name = log_with("last-entry").filename();
    auto intact = read(original / name);
    // Each byte of its header, and some of what follows: each try takes syncs.
    auto begin = last_record(intact);
    for (auto at = begin; at < intact.size(); at += at < begin + 8 ? 1 : 13) {
      auto flipped = intact;
      flipped[at] ^= 4;
      for (auto& bytes : {intact.substr(0, at), flipped}) {
        use_copy_of(original);
        std::ofstream{settings.path / name, std::ios::binary} << bytes;
        check();
        fs::remove_all(settings.path);
      }
    }
    settings.path = original;
  }

  /// Where the last write begins: its entry is short.
  static std::size_t last_record(const std::string& log) {
    std::size_t at = log.size() / 32768 * 32768;
    for (;;) {
      auto length = static_cast<unsigned char>(log[at + 4])
                    + 256u * static_cast<unsigned char>(log[at + 5]);
      if (at + 7 + length >= log.size())
        return at;
      at += 7 + length;
    }
  }

  /// Flips a byte of the newest file with that extension, where `text` stands.
  /// Returns which, and where.
  std::pair<fs::path, std::uint64_t> damage(std::string_view extension,
                                            const std::string& text) {
    for (auto& file : fs::directory_iterator{settings.path}) {
      if (file.path().extension() != extension)
        continue;
      std::ifstream in{file.path(), std::ios::binary};
      std::string bytes{std::istreambuf_iterator<char>{in}, {}};
      auto at = bytes.find(text);
      if (at == std::string::npos)
        continue;
      bytes[at] ^= 1;
      std::ofstream{file.path(), std::ios::binary} << bytes;
      return {file.path(), at};
    }
    CAF_FAIL("nothing to damage");
    return {};
  }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(raft_log_tests, fixture)

CAF_TEST(a new log is empty) {
  auto found = contents();
  CAF_CHECK_EQUAL(found.term, 0u);
  CAF_CHECK_EQUAL(found.first_index, 1u);
  CAF_CHECK(found.entries.empty());
  CAF_CHECK(!found.snapshot);
}

CAF_TEST(what was written is there after a restart) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"a", "b", std::string(100000, 'c')}));
  }
  auto found = contents();
  CAF_CHECK_EQUAL(found.term, 2u);
  CAF_CHECK(found.voted_for == member_id{1});
  CAF_REQUIRE_EQUAL(found.entries.size(), 4u);
  CAF_CHECK(found.entries[0].kind == entry_kind::change);
  CAF_CHECK_EQUAL(found.entries[2].bytes, "b");
  CAF_CHECK_EQUAL(found.entries[3].bytes.size(), 100000u);
}

CAF_TEST(writing at an index drops what stood behind) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"a", "b", "c", "d"}));
    write(storage, entries(3, 3, {"x"}));
  }
  auto found = contents();
  CAF_REQUIRE_EQUAL(found.entries.size(), 3u);
  CAF_CHECK_EQUAL(found.entries[1].bytes, "a");
  CAF_CHECK_EQUAL(found.entries[2].bytes, "x");
}

CAF_TEST(several writes with one sync keep their order) {
  {
    auto storage = open();
    std::vector<log_write> writes{first_entry(), entries(2, 2, {"a", "b", "c"}),
                                  entries(3, 3, {"x"}), entries(3, 4, {"y"})};
    CAF_REQUIRE(!storage.write(writes));
  }
  auto found = contents();
  CAF_REQUIRE_EQUAL(found.entries.size(), 4u);
  CAF_CHECK_EQUAL(found.entries[2].bytes, "x");
  CAF_CHECK_EQUAL(found.entries[3].bytes, "y");
}

CAF_TEST(a snapshot replaces the entries before it) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"a", "b", "c", "d"}));
    log_write taken;
    taken.snapshot = std::make_shared<const log_snapshot>(
      log_snapshot{4, 2, configuration, 1, "state"});
    taken.drop_below = 3;
    write(storage, taken);
  }
  auto found = contents();
  CAF_REQUIRE(found.snapshot);
  CAF_CHECK_EQUAL(found.snapshot->state, "state");
  CAF_CHECK_EQUAL(found.first_index, 3u);
  CAF_CHECK_EQUAL(found.entries.size(), 3u);
  {
    auto storage = open();
    log_write installed;
    installed.snapshot = std::make_shared<const log_snapshot>(
      log_snapshot{9, 2, configuration, 1, "newer"});
    installed.drop_all_entries = true;
    write(storage, installed);
    write(storage, entries(2, 10, {"e"}));
  }
  found = contents();
  CAF_CHECK_EQUAL(found.first_index, 10u);
  CAF_CHECK_EQUAL(found.entries.size(), 1u);
  CAF_CHECK_EQUAL(found.snapshot->state, "newer");
}

CAF_TEST(named values stay) {
  {
    auto storage = open();
    CAF_CHECK(!storage.put_meta("pledge", "x"));
    CAF_CHECK(!storage.put_meta("other", "y"));
    CAF_CHECK(!storage.put_meta("other", ""));
  }
  auto values = open().meta().values;
  CAF_CHECK_EQUAL(values["pledge"], "x");
  CAF_CHECK(!values.contains("other"));
  CAF_CHECK_EQUAL(values["node_id"], to_string(member_id{1}));
}

CAF_TEST(another node 's or cluster' s directory is refused) {
  open();
  settings.node = member_id{2};
  auto other = failure();
  CAF_CHECK(other.code == errc::conflict);
  CAF_CHECK(contains(other.detail, settings.path.string()));
  CAF_CHECK(contains(other.detail, to_string(member_id{1})));
  settings.node = member_id{1};
  settings.cluster_name = "prod";
  CAF_CHECK(contains(failure().detail, "cluster_name 'test', not to 'prod'"));
}

CAF_TEST(a newer format is refused) {
  CAF_REQUIRE(!open().put_meta("format", "2"));
  auto found = failure();
  CAF_CHECK(found.code == errc::incompatible);
  CAF_CHECK(contains(found.detail, "format 2"));
}

CAF_TEST(a log in use is refused) {
  auto first = open();
  auto second = failure();
  CAF_CHECK(second.code == errc::storage_failed);
  CAF_CHECK(contains(second.detail, settings.path.string()));
}

CAF_TEST(a directory that cannot be made is told) {
  std::ofstream{folder / "file"} << "x";
  settings.path = folder / "file" / "raft";
  CAF_CHECK(failure().code == errc::storage_failed);
}

CAF_TEST(a flipped byte is told and not dropped) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"marked-entry"}));
    write(storage, entries(2, 3, {"later-entry"}));
  }
  auto [file, at] = damage(".log", "marked-entry");
  auto found = failure();
  CAF_CHECK(found.code == errc::corrupt);
  auto where = find_wal_damage(settings.path);
  CAF_REQUIRE(where);
  CAF_CHECK_EQUAL(where->file, file);
  // The record's begin.
  CAF_CHECK_LESS(where->offset, at);
  CAF_CHECK_LESS(at - where->offset, 100u);
  CAF_CHECK(contains(found.detail, file.string() + " is damaged at offset "
                                     + std::to_string(where->offset)));
}

CAF_TEST(no damaged byte of an earlier write passes for the end) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"marked-entry"}));
    write(storage, entries(2, 3, {std::string(70'000, 'x')}));
    write(storage, entries(2, 4, {"later-entry"}));
  }
  auto file = log_with("marked-entry");
  auto intact = read(file);
  auto last_write = last_record(intact);
  auto check_told = [&](std::uint64_t at) {
    auto where = find_wal_damage(settings.path);
    CAF_REQUIRE(where);
    CAF_CHECK_EQUAL(where->file, file);
    CAF_CHECK(where->offset <= at);
  };
  auto end_of_marked = intact.find("marked-entry") + 40;
  for (std::size_t at = 0; at < end_of_marked; ++at) {
    auto bytes = intact;
    bytes[at] ^= 4;
    std::ofstream{file, std::ios::binary} << bytes;
    check_told(at);
  }
  // The long write's records: each block's first header.
  for (std::size_t at : {32768u, 32772u, 32773u, 32774u, 65536u, 65542u}) {
    auto bytes = intact;
    bytes[at] ^= 4;
    std::ofstream{file, std::ios::binary} << bytes;
    check_told(at);
  }
  // Whole headers and blocks that the disk lost.
  for (auto [at, size] : {std::pair{0u, 7u}, {0u, 32768u}, {32768u, 32768u}}) {
    auto bytes = intact;
    std::fill_n(bytes.begin() + at, size, '\0');
    std::ofstream{file, std::ios::binary} << bytes;
    check_told(at);
    CAF_CHECK(failure().code == errc::corrupt);
  }
  // The last write may be torn anywhere.
  for (auto at = last_write; at < intact.size(); ++at) {
    auto bytes = intact;
    bytes[at] ^= 4;
    std::ofstream{file, std::ios::binary} << bytes;
    CAF_CHECK(!find_wal_damage(settings.path));
    std::ofstream{file, std::ios::binary} << intact.substr(0, at);
    CAF_CHECK(!find_wal_damage(settings.path));
  }
  std::ofstream{file, std::ios::binary} << intact << std::string(100, '\0');
  CAF_CHECK(!find_wal_damage(settings.path));
  auto contents = open().load();
  CAF_REQUIRE(contents);
  CAF_CHECK_EQUAL(contents->entries.size(), 4u);
}

CAF_TEST(a torn write over several blocks is cut off) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"marked-entry"}));
    keep_mark();
    write(storage, entries(2, 3, {std::string(100'000, 'x')}));
  }
  // Nobody was told of it.
  put_mark_back();
  auto file = log_with("marked-entry");
  auto bytes = read(file);
  // Its begin did not reach the disk, what follows did.
  auto at = bytes.find("xxx");
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
            bytes.begin() + 32768, '\0');
  std::ofstream{file, std::ios::binary} << bytes;
  CAF_CHECK(!find_wal_damage(settings.path));
  auto contents = open().load();
  CAF_REQUIRE(contents);
  CAF_CHECK_EQUAL(contents->entries.size(), 2u);
}

CAF_TEST(no way to lose the last write goes unnoticed) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"first-entry"}));
    write(storage, entries(2, 3, {"last-entry"}));
  }
  auto tried = 0;
  for_each_damage_of_last_write([&] {
    ++tried;
    // Also when it is tried again.
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto found = failure();
      CAF_REQUIRE(found.code == errc::corrupt);
      CAF_REQUIRE(contains(found.detail, "has lost its end: it holds entries "
                                         "up to 2 and term 2, but entry 3"));
    }
  });
  CAF_CHECK_GREATER(tried, 20);
  CAF_CHECK_EQUAL(contents().entries.size(), 3u);
}

CAF_TEST(a write that nobody was told of may be torn anywhere) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"first-entry"}));
    keep_mark();
    write(storage, entries(2, 3, {"last-entry"}));
  }
  put_mark_back();
  auto tried = 0;
  for_each_damage_of_last_write([&] {
    ++tried;
    CAF_REQUIRE_EQUAL(contents().entries.size(), 2u);
    // It goes on from there.
    {
      auto storage = open();
      write(storage, entries(3, 3, {"another"}));
    }
    CAF_REQUIRE_EQUAL(contents().entries.back().bytes, "another");
  });
  CAF_CHECK_GREATER(tried, 20);
  CAF_CHECK_EQUAL(contents().entries.size(), 3u);
}

CAF_TEST(a lost vote is told too) {
  {
    auto storage = open();
    write(storage, first_entry());
    fs::copy(settings.path, folder / "older", fs::copy_options::recursive);
    log_write vote;
    vote.term = 7;
    vote.voted_for = member_id{3};
    write(storage, vote);
  }
  fs::remove_all(settings.path);
  fs::rename(folder / "older", settings.path);
  auto found = failure();
  CAF_CHECK(found.code == errc::corrupt);
  CAF_CHECK(contains(found.detail, "and term 7 were durable"));
  // Who recovers a cluster from what is left may open it, and is told.
  settings.takes_lost_end = true;
  auto storage = open();
  CAF_REQUIRE(storage.lost_end());
  CAF_CHECK_EQUAL(storage.lost_end()->term, 7u);
  CAF_CHECK_EQUAL(storage.load()->entries.size(), 1u);
}

CAF_TEST(a log that shrinks on purpose has lost nothing) {
  for (int round = 0; round < 3; ++round) {
    auto storage = open();
    if (round == 0)
      write(storage, first_entry());
    write(storage, entries(2, 2, {"a", "b", "c", "d"}));
    write(storage, entries(2, 2, {"e"}));
    CAF_CHECK(!storage.sync_mark());
  }
  CAF_CHECK_EQUAL(contents().entries.size(), 2u);
}

CAF_TEST(a damaged mark is told where the other one is too) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 2, {"a"}));
  }
  auto intact = read(mark());
  CAF_REQUIRE_GREATER(intact.size(), 4096u);
  auto flip = [&](std::initializer_list<std::size_t> where) {
    auto bytes = intact;
    for (auto at : where)
      bytes[at] ^= 4;
    std::ofstream{mark(), std::ios::binary} << bytes;
  };
  for (std::size_t at = 0; at < 48; ++at)
    for (auto place : {0u, 4096u}) {
      flip({at + place});
      CAF_REQUIRE(log_mark_file::open(mark())->last());
    }
  flip({16, 4096 + 16});
  CAF_CHECK(failure().code == errc::corrupt);
  fs::remove(mark());
  auto gone = failure();
  CAF_CHECK(gone.code == errc::corrupt);
  CAF_CHECK(contains(gone.detail, ".mark is gone"));
}

CAF_TEST(a node that took part in a cluster does not begin with an empty log) {
  settings.must_exist = true;
  auto found = failure();
  CAF_CHECK(found.code == errc::conflict);
  CAF_CHECK(contains(found.detail, "is gone"));
  settings.must_exist = false;
  {
    auto storage = open();
    write(storage, first_entry());
  }
  settings.must_exist = true;
  CAF_CHECK_EQUAL(contents().entries.size(), 1u);
}

CAF_TEST(what is owed stays) {
  {
    auto storage = open();
    write(storage, first_entry());
    auto more = entries(2, 2, {"a"});
    more.owed = 9;
    write(storage, more);
  }
  CAF_CHECK_EQUAL(contents().owed, 9u);
  {
    auto storage = open();
    write(storage, entries(2, 3, {"b"}));
  }
  CAF_CHECK_EQUAL(contents().owed, 0u);
}

CAF_TEST(damage is found behind the first block) {
  {
    auto storage = open();
    write(storage, first_entry());
    for (std::uint64_t i = 2; i < 40; ++i)
      write(storage, entries(2, i, {std::string(10'000, 'x')}));
    write(storage, entries(2, 40, {"marked-entry"}));
    write(storage, entries(2, 41, {"later-entry"}));
  }
  CAF_CHECK(!find_wal_damage(settings.path));
  auto [file, at] = damage(".log", "marked-entry");
  auto where = find_wal_damage(settings.path);
  CAF_REQUIRE(where);
  CAF_CHECK_LESS(at - where->offset, 100u);
}

CAF_TEST(a gap is told) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(2, 4, {"d"}));
  }
  auto found = failure();
  CAF_CHECK(found.code == errc::corrupt);
  CAF_CHECK(contains(found.detail, "entries 2 to 3 are missing"));
}

CAF_TEST(terms that go back are told) {
  {
    auto storage = open();
    write(storage, first_entry());
    write(storage, entries(5, 2, {"a"}));
    write(storage, entries(3, 3, {"b"}));
  }
  CAF_CHECK(contains(failure().detail, "out of order"));
}

CAF_TEST(the actor writes and reads) {
  config cfg;
  caf::actor_system system{cfg};
  caf::scoped_actor self{system};
  auto log = spawn_raft_log(system, settings);
  CAF_REQUIRE(log);
  auto expect_done = [&](auto& request) {
    request.receive([](done) {},
                    [](caf::error& x) { CAF_FAIL(describe(x).detail); });
  };
  auto first = self->request(*log, caf::infinite, first_entry());
  auto second = self->request(*log, caf::infinite, entries(2, 2, {"a"}));
  auto third = self->request(*log, caf::infinite, store_meta{"pledge", "x"});
  expect_done(first);
  expect_done(second);
  expect_done(third);
  self->request(*log, caf::infinite, load_log{})
    .receive([](log_contents& x) { CAF_CHECK_EQUAL(x.entries.size(), 2u); },
             [](caf::error& x) { CAF_FAIL(describe(x).detail); });
  self->request(*log, caf::infinite, load_meta{})
    .receive([](log_meta& x) { CAF_CHECK_EQUAL(x.values["pledge"], "x"); },
             [](caf::error& x) { CAF_FAIL(describe(x).detail); });
  self->request(*log, caf::infinite, get_status{})
    .receive(
      [](const actor_status& x) {
        CAF_CHECK_EQUAL(x.name, "raft_log");
        CAF_CHECK_EQUAL(x.details.at("writes"), "2");
      },
      [](caf::error& x) { CAF_FAIL(describe(x).detail); });
}

CAF_TEST(a log without descriptors goes on when there are some) {
  config cfg;
  caf::actor_system system{cfg};
  caf::scoped_actor self{system};
  auto log = spawn_raft_log(system, settings);
  CAF_REQUIRE(log);
  auto lacks_descriptors = [&] {
    std::string told;
    self->request(*log, caf::infinite, get_status{})
      .receive([&](const actor_status& x) { told = x.details.at("lacks"); },
               [](caf::error& x) { CAF_FAIL(describe(x).detail); });
    return told.find("no more files can be opened") != std::string::npos;
  };
  using pending = decltype(self->request(*log, caf::infinite, log_write{}));
  std::vector<pending> writes;
  writes.push_back(self->request(*log, caf::infinite, first_entry()));
  auto count = [&] { return static_cast<std::uint64_t>(writes.size()); };
  {
    test::no_more_descriptors none;
    // RocksDB begins another file every 4 MB.
    while (!lacks_descriptors())
      writes.push_back(
        self->request(*log, caf::infinite,
                      entries(2, count() + 1, {std::string(100'000, 'x')})));
  }
  auto loaded = self->request(*log, caf::infinite, load_log{});
  for (auto& each : writes)
    each.receive([](done) {},
                 [](caf::error& x) { CAF_FAIL(describe(x).detail); });
  loaded.receive(
    [&](log_contents& x) { CAF_CHECK_EQUAL(x.entries.size(), count()); },
    [](caf::error& x) { CAF_FAIL(describe(x).detail); });
  CAF_CHECK(!lacks_descriptors());
  self->send_exit(*log, caf::exit_reason::kill);
  self->wait_for(*log);
  CAF_CHECK_EQUAL(contents().entries.size(), count());
}

CAF_TEST_FIXTURE_SCOPE_END()

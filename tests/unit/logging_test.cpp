// Where log lines go, by day and level.

#define CAF_SUITE logging

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <caf/test/dsl.hpp>

#include <spdlog/spdlog.h>

#include <unistd.h>

#include "messages/error.hpp"
#include "node/logging.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

/// A folder of the test's own. Puts spdlog's logger back at the end, since the
/// other suites of this process log nowhere.
struct fixture {
  fixture()
    : before(spdlog::default_logger()),
      root(fs::temp_directory_path()
           / ("troupe-logging-" + std::to_string(getpid()))) {
    fs::create_directories(root);
  }

  ~fixture() {
    stop_logging();
    spdlog::set_default_logger(before);
    fs::remove_all(root);
  }

  logging_config config(log_level level) const {
    return {level, root / "deep" / "logs", false};
  }

  std::string read(const std::string& name) const {
    std::ifstream file{root / "deep" / "logs" / name};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  void log_at(std::chrono::sys_seconds at, std::string_view text) {
    spdlog::default_logger()->log(at, {}, spdlog::level::warn, text);
  }

  std::shared_ptr<spdlog::logger> before;
  fs::path root;
};

/// A day that is not over in any test's lifetime.
constexpr std::chrono::sys_days future_day =
  std::chrono::year{2120} / std::chrono::January / 31;

} // namespace

CAF_TEST_FIXTURE_SCOPE(logging_tests, fixture)

CAF_TEST(a line has time and level and thread) {
  CAF_REQUIRE(!start_logging(config(log_level::info)));
  log_at(future_day + 12h + 34min + 56s, "cluster: node-2 is alive");
  std::regex expected{"2120-01-31T12:34:56\\.000Z warning \\[\\d+\\] cluster: "
                      "node-2 is alive\n"};
  CAF_CHECK(std::regex_match(read("combined-2120-01-31.log"), expected));
}

CAF_TEST(a text can neither begin another line nor move the terminal) {
  CAF_REQUIRE(!start_logging(config(log_level::info)));
  log_at(future_day, "no key: a\n2120-01-31T00:00:00.000Z error [1] forged");
  log_at(future_day, "tab\tCR\rESC\x1b[2J\x7f é");
  std::istringstream lines{read("combined-2120-01-31.log")};
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);)
    all.push_back(line.substr(line.find("] ") + 2));
  std::vector<std::string> expected{
    R"(no key: a\n2120-01-31T00:00:00.000Z error [1] forged)",
    "tab\tCR\\rESC\\x1b[2J\\x7f é"};
  CAF_CHECK_EQUAL(all, expected);
}

CAF_TEST(each UTC day has its file) {
  CAF_REQUIRE(!start_logging(config(log_level::info)));
  log_at(future_day + 24h - 1s, "last");
  log_at(future_day + 24h, "first");
  log_at(future_day + 24h - 1s, "late");
  auto yesterday = read("combined-2120-01-31.log");
  auto today = read("combined-2120-02-01.log");
  CAF_CHECK_NOT_EQUAL(yesterday.find("last"), std::string::npos);
  CAF_CHECK_EQUAL(yesterday.find("first"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(today.find("first"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(today.find("late"), std::string::npos);
}

CAF_TEST(a day whose file can not be opened goes on in the old one) {
  CAF_REQUIRE(!start_logging(config(log_level::info)));
  log_at(future_day, "old");
  auto taken = root / "deep" / "logs" / "combined-2120-02-01.log";
  fs::create_directory(taken);
  log_at(future_day + 24h, "first");
  log_at(future_day + 24h + 1s, "second");
  fs::remove(taken);
  log_at(future_day + 24h + 1min, "third");
  auto yesterday = read("combined-2120-01-31.log");
  CAF_CHECK_NOT_EQUAL(yesterday.find("first"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(yesterday.find("second"), std::string::npos);
  CAF_CHECK_EQUAL(yesterday.find("third"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(read("combined-2120-02-01.log").find("third"),
                      std::string::npos);
}

CAF_TEST(lines below the level are left out) {
  CAF_REQUIRE(!start_logging(config(log_level::warn)));
  spdlog::info("unimportant");
  spdlog::warn("important");
  spdlog::error("worse");
  std::string all;
  for (auto& file : fs::directory_iterator{root / "deep" / "logs"})
    all += read(file.path().filename());
  CAF_CHECK_EQUAL(all.find("unimportant"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(all.find("important"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(all.find("worse"), std::string::npos);
}

CAF_TEST(every level has its counterpart in spdlog) {
  using spdlog::level::level_enum;
  const std::pair<log_level, level_enum> levels[] = {
    {log_level::error, level_enum::err},
    {log_level::warn, level_enum::warn},
    {log_level::info, level_enum::info},
    {log_level::debug, level_enum::debug},
    {log_level::trace, level_enum::trace}};
  for (auto [ours, theirs] : levels) {
    CAF_REQUIRE(!start_logging(config(ours)));
    CAF_CHECK(spdlog::default_logger()->level() == theirs);
  }
}

CAF_TEST(a second start goes on in the same file) {
  CAF_REQUIRE(!start_logging(config(log_level::info)));
  log_at(future_day, "before");
  stop_logging();
  CAF_REQUIRE(!start_logging(config(log_level::info)));
  log_at(future_day, "after");
  auto text = read("combined-2120-01-31.log");
  CAF_CHECK_NOT_EQUAL(text.find("before"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(text.find("after"), std::string::npos);
}

CAF_TEST(a directory that is a file is refused) {
  std::ofstream{root / "taken"} << "x";
  auto problem = start_logging({log_level::info, root / "taken", false});
  CAF_REQUIRE(problem);
  auto what = describe(problem);
  CAF_CHECK(what.code == errc::storage_failed);
  CAF_CHECK_EQUAL(what.field, "node.logDirectory");
  CAF_CHECK_EQUAL(what.detail.find("the log directory "
                                   + (root / "taken").string()
                                   + " can't be written: "),
                  0u);
}

CAF_TEST(a directory where no file can be made is refused) {
  // Permissions don't stop root, /proc does.
  auto problem = start_logging({log_level::info, "/proc", false});
  CAF_REQUIRE(problem);
  CAF_CHECK(describe(problem).code == errc::storage_failed);
}

CAF_TEST_FIXTURE_SCOPE_END()

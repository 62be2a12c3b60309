#include "node/logging.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <fmt/chrono.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

using day = std::chrono::sys_days;

day day_of(spdlog::log_clock::time_point at) {
  return std::chrono::floor<std::chrono::days>(at);
}

/// Writes to one file per day. The day is that of the line and in UTC as its
/// time is, so a line stands in the file that its time names; spdlog's own
/// daily sink goes by local time.
class daily_file_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// Throws spdlog_ex when the file can't be opened.
  explicit daily_file_sink(std::filesystem::path directory)
    : directory_(std::move(directory)) {
    open(spdlog::log_clock::now());
  }

protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    auto failure = change_day(line.time);
    spdlog::memory_buf_t text;
    formatter_->format(line, text);
    file_->write(text);
    // Reported by spdlog, on standard error.
    if (!failure.empty())
      throw spdlog::spdlog_ex(failure);
  }

  void flush_() override { file_->flush(); }

private:
  using time_point = spdlog::log_clock::time_point;

  /// While the new day's file can't be opened, lines go on into the old one.
  std::string change_day(time_point at) {
    // Threads race for the lock: after midnight a line of the day before may
    // still come.
    if (day_of(at) <= day_ || at < next_try_)
      return {};
    try {
      open(at);
      return {};
    } catch (const spdlog::spdlog_ex& error) {
      next_try_ = at + between_tries;
      return error.what();
    }
  }

  void open(time_point at) {
    auto today = day_of(at);
    auto name = fmt::format("combined-{:%Y-%m-%d}.log",
                            fmt::gmtime(std::chrono::system_clock::to_time_t(
                              std::chrono::system_clock::time_point{today})));
    auto next = std::make_unique<spdlog::details::file_helper>();
    next->open((directory_ / name).string());
    file_ = std::move(next);
    day_ = today;
  }

  static constexpr std::chrono::seconds between_tries{10};

  std::filesystem::path directory_;
  std::unique_ptr<spdlog::details::file_helper> file_;
  day day_;
  time_point next_try_{};
};

/// A line's text, in which a client or a peer may have had a say: with line
/// breaks it would write lines of its own, and with escape sequences into the
/// reader's terminal.
class escaped_text final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& line, const std::tm&,
              spdlog::memory_buf_t& out) override {
    for (auto c : line.payload) {
      auto byte = static_cast<unsigned char>(c);
      if (c == '\n')
        append(out, "\\n");
      else if (c == '\r')
        append(out, "\\r");
      else if ((byte < 0x20 && c != '\t') || byte == 0x7f)
        append(out, fmt::format("\\x{:02x}", byte));
      else
        out.push_back(c);
    }
  }

  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<escaped_text>();
  }

private:
  static void append(spdlog::memory_buf_t& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
  }
};

std::unique_ptr<spdlog::formatter> line_formatter() {
  auto result =
    std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  result->add_flag<escaped_text>('*').set_pattern(
    "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ [%t] %*");
  return result;
}

spdlog::level::level_enum translate(log_level level) {
  switch (level) {
    case log_level::error:
      return spdlog::level::err;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::info:
      return spdlog::level::info;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::trace:
      return spdlog::level::trace;
  }
  return spdlog::level::info;
}

caf::error unwritable(const std::filesystem::path& directory,
                      std::string_view why) {
  return make_error(errc::storage_failed,
                    fmt::format("the log directory {} can't be written: {}",
                                directory.string(), why),
                    "node.logDirectory");
}

} // namespace

caf::error start_logging(const logging_config& config) {
  std::error_code failure;
  std::filesystem::create_directories(config.directory, failure);
  if (failure)
    return unwritable(config.directory, failure.message());
  std::vector<spdlog::sink_ptr> sinks;
  try {
    sinks.push_back(std::make_shared<daily_file_sink>(config.directory));
  } catch (const spdlog::spdlog_ex& error) {
    return unwritable(config.directory, error.what());
  }
  if (config.console)
    sinks.push_back(std::make_shared<spdlog::sinks::stdout_color_sink_mt>());
  auto logger =
    std::make_shared<spdlog::logger>("troupe", sinks.begin(), sinks.end());
  logger->set_formatter(line_formatter());
  logger->set_level(translate(config.level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_every(std::chrono::seconds{1});
  return {};
}

void stop_logging() {
  spdlog::flush_every(std::chrono::seconds::zero());
  spdlog::default_logger()->flush();
}

} // namespace troupe

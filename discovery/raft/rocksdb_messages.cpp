#include "discovery/raft/rocksdb_messages.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>

#include <rocksdb/env.h>
#include <spdlog/spdlog.h>

namespace troupe {

namespace {

class message_taker final : public rocksdb::Logger {
public:
  message_taker() : rocksdb::Logger(rocksdb::WARN_LEVEL) {}

  using rocksdb::Logger::Logv;

  void Logv(rocksdb::InfoLogLevel level, const char* format,
            va_list arguments) override {
    if (level < GetInfoLogLevel() || level >= rocksdb::HEADER_LEVEL)
      return;
    std::array<char, 1024> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    // What it means for the node, the log's own error says.
    spdlog::log(level == rocksdb::WARN_LEVEL ? spdlog::level::info
                                             : spdlog::level::warn,
                "raft_log: rocksdb: {}", text.data());
  }

  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::INFO_LEVEL, format, arguments);
  }
};

} // namespace

std::shared_ptr<rocksdb::Logger> take_rocksdb_messages() {
  return std::make_shared<message_taker>();
}

} // namespace troupe

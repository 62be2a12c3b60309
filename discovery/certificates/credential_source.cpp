#include "discovery/certificates/credential_source.hpp"

#include <sys/stat.h>

#include <spdlog/spdlog.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

using std::chrono::system_clock;

/// An expired certificate ends nothing at once, but no node can come back.
void warn_before_expiry(const credentials& what) {
  constexpr std::chrono::hours early{14 * 24};
  if (what.valid_until() - system_clock::now() < early)
    spdlog::warn("cluster port: the certificate expires soon ({}); replace it, "
                 "the node takes the new one without a restart",
                 what.summary());
}

} // namespace

credential_source::credential_source(tls_files files, std::string cluster)
  : files_(std::move(files)), cluster_(std::move(cluster)) {
}

caf::expected<std::unique_ptr<credential_source>>
credential_source::open(tls_files files, std::string cluster) {
  auto result =
    std::make_unique<credential_source>(std::move(files), std::move(cluster));
  result->seen_ = result->stamps();
  auto loaded =
    credentials::load(result->files_, result->cluster_, system_clock::now());
  if (!loaded)
    return std::move(loaded.error());
  result->current_ = std::move(*loaded);
  warn_before_expiry(*result->current_);
  return result;
}

std::shared_ptr<const credentials> credential_source::current() {
  auto now = stamps();
  if (now == seen_)
    return current_;
  seen_ = now;
  auto loaded = credentials::load(files_, cluster_, system_clock::now());
  if (loaded) {
    current_ = std::move(*loaded);
    spdlog::info("cluster port: new connections use the replaced certificate "
                 "files ({})",
                 current_->summary());
    warn_before_expiry(*current_);
  } else {
    spdlog::error("cluster port: the replaced certificate files are wrong, the "
                  "old ones stay in use ({}): {}",
                  current_->summary(), describe(loaded.error()).detail);
  }
  return current_;
}

credential_source::stamp credential_source::stamp_of(const std::string& file) {
  struct ::stat found {};
  if (::stat(file.c_str(), &found) != 0)
    return {};
  return {found.st_ino, found.st_size,
          found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
}

std::array<credential_source::stamp, 3> credential_source::stamps() const {
  return {stamp_of(files_.certificate), stamp_of(files_.key),
          stamp_of(files_.authority)};
}

} // namespace troupe

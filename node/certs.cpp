#include "node/certs.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "discovery/certificates/issue.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

namespace fs = std::filesystem;

std::chrono::hours as_hours(int days) {
  return std::chrono::hours{24} * days;
}

caf::error failure(const std::string& what, const fs::path& file) {
  return make_error(errc::storage_failed,
                    what + " " + file.string() + ": " + std::strerror(errno));
}

caf::error conflict(const fs::path& file) {
  return make_error(errc::conflict,
                    file.string() + " is there already; --force replaces it");
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    auto size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno != EINTR)
      return false;
    if (size > 0)
      text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

/// A file that is complete before it gets its name. Removed if it never does.
class unnamed_file {
public:
  explicit unnamed_file(fs::path target) : target_(std::move(target)) {
    temporary_ = target_;
    temporary_ += fmt::format(".{}.new", ::getpid());
  }

  unnamed_file(const unnamed_file&) = delete;
  unnamed_file& operator=(const unnamed_file&) = delete;

  ~unnamed_file() { ::unlink(temporary_.c_str()); }

  caf::error write(std::string_view text, ::mode_t mode) {
    auto fd =
      ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
      return failure("can't make", temporary_);
    auto is_written = write_all(fd, text) && ::fsync(fd) == 0;
    auto reason = errno;
    ::close(fd);
    errno = reason;
    return is_written ? caf::error{} : failure("can't write", temporary_);
  }

  /// @param force whether another file of that name goes.
  caf::error give_name(bool force) {
    if (force)
      return ::rename(temporary_.c_str(), target_.c_str()) == 0
               ? caf::error{}
               : failure("can't replace", target_);
    // Unlike rename, link never replaces.
    if (::link(temporary_.c_str(), target_.c_str()) == 0)
      return {};
    return errno == EEXIST ? conflict(target_) : failure("can't make", target_);
  }

private:
  fs::path target_;
  fs::path temporary_;
};

/// The two files of a pair.
struct pair_files {
  fs::path certificate;
  fs::path key;

  pair_files(const std::string& folder, const std::string& name)
    : certificate(fs::path{folder} / (name + ".pem")),
      key(fs::path{folder} / (name + ".key")) {}
};

caf::error write_pair(const pair_files& files, const issued_pair& what,
                      bool force) {
  std::error_code problem;
  fs::create_directories(files.key.parent_path(), problem);
  if (problem)
    return make_error(errc::storage_failed, "can't make the folder "
                                              + files.key.parent_path().string()
                                              + ": " + problem.message());
  if (!force)
    for (auto& file : {files.certificate, files.key})
      if (fs::exists(file, problem))
        return conflict(file);
  unnamed_file key{files.key};
  unnamed_file certificate{files.certificate};
  if (auto failed = key.write(what.key, 0600))
    return failed;
  if (auto failed = certificate.write(what.certificate, 0644))
    return failed;
  if (auto failed = key.give_name(force))
    return failed;
  return certificate.give_name(force);
}

caf::expected<issued_pair> read_pair(const pair_files& files) {
  auto certificate = read_pem_file(files.certificate.string());
  if (!certificate)
    return std::move(certificate.error());
  auto key = read_pem_file(files.key.string());
  if (!key)
    return std::move(key.error());
  return issued_pair{std::move(*certificate), std::move(*key)};
}

} // namespace

caf::expected<std::string> run_certs(const certs_authority_command& what,
                                     certificate_time now) {
  auto made = issue_authority({what.cluster, now, as_hours(what.days)});
  if (!made)
    return std::move(made.error());
  pair_files files{what.out, "ca"};
  if (auto problem = write_pair(files, *made, what.force))
    return problem;
  return fmt::format("authority of cluster '{}', valid until {}\n"
                     "  {}  every node needs it (tls.authority)\n"
                     "  {}  whoever has it can let nodes in: keep it off the "
                     "nodes\n",
                     what.cluster, to_text(now + as_hours(what.days)),
                     files.certificate.string(), files.key.string());
}

caf::expected<std::string> run_certs(const certs_node_command& what,
                                     certificate_time now) {
  pair_files authority_files{what.authority, "ca"};
  auto authority = read_pair(authority_files);
  if (!authority)
    return std::move(authority.error());
  auto made = issue_node({what.name, what.hosts, now, as_hours(what.days)},
                         *authority, what.authority);
  if (!made)
    return std::move(made.error());
  pair_files files{what.out, what.name};
  if (auto problem = write_pair(files, *made, what.force))
    return problem;
  return fmt::format("certificate of node '{}', valid until {}\n"
                     "  {}  tls.certificate\n"
                     "  {}  tls.key\n",
                     what.name, to_text(now + as_hours(what.days)),
                     files.certificate.string(), files.key.string());
}

} // namespace troupe

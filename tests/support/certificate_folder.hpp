#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <stdlib.h>

#include "discovery/certificates/credentials.hpp"
#include "discovery/certificates/issue.hpp"

namespace troupe {

/// Certificates in a temporary folder.
struct certificate_folder {
  std::filesystem::path path;
  certificate_time now = std::chrono::system_clock::now();

  certificate_folder() {
    std::string name = std::filesystem::temp_directory_path() / "certsXXXXXX";
    path = ::mkdtemp(name.data());
  }

  certificate_folder(const certificate_folder&) = delete;
  certificate_folder& operator=(const certificate_folder&) = delete;

  ~certificate_folder() { std::filesystem::remove_all(path); }

  std::string file(const std::string& name) const { return path / name; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path / name, std::ios::binary} << text;
  }

  /// Writes NAME.pem and NAME.key.
  issued_pair put(const std::string& name, issued_pair what) const {
    write(name + ".pem", what.certificate);
    write(name + ".key", what.key);
    return what;
  }

  static issued_pair made(caf::expected<issued_pair> what) {
    if (!what)
      throw std::runtime_error{to_string(what.error())};
    return std::move(*what);
  }

  issued_pair authority(const std::string& name = "ca",
                        const std::string& cluster = "troupe") const {
    return put(name,
               made(issue_authority({cluster, now, std::chrono::hours{1000}})));
  }

  /// Valid for ten hours.
  issued_pair node(const std::string& name, const issued_pair& by) const {
    return put(
      name, made(issue_node({name, {"127.0.0.1"}, now, std::chrono::hours{10}},
                            by, "ca")));
  }

  tls_files files(const std::string& name,
                  const std::string& authority = "ca") const {
    return {file(name + ".pem"), file(name + ".key"), file(authority + ".pem")};
  }
};

} // namespace troupe

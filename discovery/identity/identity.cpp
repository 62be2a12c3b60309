#include "discovery/identity/identity.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "messages/error.hpp"

namespace troupe {

namespace {

using nlohmann::json;

caf::error storage_failure(const std::string& what,
                           const std::filesystem::path& file) {
  return make_error(errc::storage_failed,
                    what + " " + file.string() + ": " + std::strerror(errno));
}

/// Closes a file descriptor when it goes out of scope.
struct descriptor {
  int value;
  explicit descriptor(int fd) : value(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (value >= 0)
      ::close(value);
  }
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR)
      return false;
    if (written > 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Replaces a file so that a crash leaves the old or the new one.
caf::error replace_file(const std::filesystem::path& file,
                        std::string_view text) {
  auto temporary = file;
  temporary += ".new";
  {
    descriptor out{::open(temporary.c_str(),
                          O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (out.value < 0 || !write_all(out.value, text) || ::fsync(out.value) != 0)
      return storage_failure("can't write", temporary);
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0)
    return storage_failure("can't replace", file);
  descriptor folder{
    ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.value < 0 || ::fsync(folder.value) != 0)
    return storage_failure("can't sync the folder of", file);
  return caf::none;
}

std::string print(const identity::contents& x) {
  json result{{"id", to_string(x.id)}, {"incarnation", x.incarnation}};
  if (!x.cluster_uuid.empty()) {
    result["clusterName"] = x.cluster_name;
    result["clusterUuid"] = x.cluster_uuid;
  }
  if (x.pledge.pledged_to != member_id::none)
    result["pledgedTo"] = to_string(x.pledge.pledged_to);
  if (x.pledge.founds)
    result["founds"] = true;
  return result.dump(2) + "\n";
}

caf::expected<identity::contents> parse(const std::string& text,
                                        const std::filesystem::path& file) {
  try {
    auto parsed = json::parse(text);
    identity::contents result;
    auto id = parse_member_id(parsed.at("id").get<std::string>());
    if (!id)
      throw std::invalid_argument("id is not 16 hex digits");
    result.id = *id;
    result.incarnation = parsed.at("incarnation").get<std::uint64_t>();
    result.cluster_name = parsed.value("clusterName", "");
    result.cluster_uuid = parsed.value("clusterUuid", "");
    if (parsed.contains("pledgedTo")) {
      auto founder = parse_member_id(parsed["pledgedTo"].get<std::string>());
      if (!founder)
        throw std::invalid_argument("pledgedTo is not 16 hex digits");
      result.pledge.pledged_to = *founder;
    }
    result.pledge.founds = parsed.value("founds", false);
    return result;
  } catch (const std::exception& problem) {
    return make_error(errc::corrupt, "unreadable identity in " + file.string()
                                       + ": " + problem.what());
  }
}

caf::expected<identity::contents> load(const std::filesystem::path& file) {
  std::error_code problem;
  auto present = std::filesystem::exists(file, problem);
  if (problem)
    return make_error(errc::storage_failed, "can't look at " + file.string()
                                              + ": " + problem.message());
  if (!present) {
    identity::contents fresh;
    std::random_device source;
    while (fresh.id == member_id::none)
      fresh.id = member_id{(std::uint64_t{source()} << 32) | source()};
    return fresh;
  }
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  if (!in)
    return storage_failure("can't read", file);
  return parse(text.str(), file);
}

} // namespace

identity::identity(std::filesystem::path file, contents initial)
  : file_(std::move(file)), contents_(std::move(initial)) {
}

caf::expected<std::shared_ptr<identity>>
identity::open(const std::filesystem::path& data_directory,
               const std::string& cluster_name) {
  std::error_code problem;
  std::filesystem::create_directories(data_directory, problem);
  if (problem)
    return make_error(errc::storage_failed, "can't make the data directory "
                                              + data_directory.string() + ": "
                                              + problem.message());
  auto file = data_directory / "identity.json";
  auto loaded = load(file);
  if (!loaded)
    return std::move(loaded.error());
  if (!loaded->cluster_name.empty() && loaded->cluster_name != cluster_name)
    return make_error(errc::incompatible,
                      data_directory.string() + " belongs to cluster '"
                        + loaded->cluster_name + "', but cluster.name is '"
                        + cluster_name
                        + "'; use the right name or another data directory",
                      "cluster.name");
  ++loaded->incarnation;
  if (auto failure = replace_file(file, print(*loaded)))
    return failure;
  return std::make_shared<identity>(file, std::move(*loaded));
}

identity::contents identity::get() const {
  std::lock_guard guard{mutex_};
  return contents_;
}

caf::error identity::keep_pledge(const pledge_record& pledge) {
  std::lock_guard guard{mutex_};
  auto next = contents_;
  next.pledge = pledge;
  if (auto failure = replace_file(file_, print(next)))
    return failure;
  contents_ = std::move(next);
  return caf::none;
}

caf::error identity::bind_to_cluster(const std::string& name,
                                     const std::string& uuid) {
  std::lock_guard guard{mutex_};
  if (contents_.cluster_uuid == uuid)
    return caf::none;
  if (!contents_.cluster_uuid.empty())
    return make_error(errc::incompatible,
                      "this data directory belongs to cluster "
                        + contents_.cluster_uuid + ", not to " + uuid);
  return bind(name, uuid);
}

caf::error identity::rebind_to_cluster(const std::string& name,
                                       const std::string& uuid) {
  std::lock_guard guard{mutex_};
  return bind(name, uuid);
}

caf::error identity::bind(const std::string& name, const std::string& uuid) {
  auto next = contents_;
  next.cluster_name = name;
  next.cluster_uuid = uuid;
  next.pledge = {};
  if (auto failure = replace_file(file_, print(next)))
    return failure;
  contents_ = std::move(next);
  return caf::none;
}

std::string make_cluster_uuid(std::uint32_t seed) {
  std::mt19937_64 random;
  if (seed != 0) {
    random.seed(seed);
  } else {
    std::random_device device;
    std::seed_seq entropy{device(), device(), device(), device()};
    random.seed(entropy);
  }
  // RFC 4122 §4.4.
  auto high = (random() & ~0xf000ull) | 0x4000ull;
  auto low = (random() & ~(0xc0ull << 56)) | (0x80ull << 56);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                     high >> 16 & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffffffffffff);
}

} // namespace troupe

#include "discovery/peer_source/redis_peers.hpp"

#include <optional>
#include <set>
#include <span>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "discovery/peer_source/redis_connection.hpp"
#include "discovery/peer_source/redis_registration.hpp"
#include "messages/address.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

/// Keys that the server looks at for one reply.
constexpr auto scan_count = "1000";
/// A Redis that holds very much else is the wrong one to look through.
constexpr std::chrono::milliseconds longest_scan{2000};

using keys = std::set<std::string>;

std::string_view text_of(const redisReply& reply) {
  return reply.type == REDIS_REPLY_STRING
           ? std::string_view{reply.str, reply.len}
           : std::string_view{};
}

std::span<redisReply* const> elements_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY)
    return {};
  return {reply.element, reply.elements};
}

caf::error unexpected(std::string_view command) {
  return make_error(errc::unavailable,
                    fmt::format("the reply to {} is not what Redis replies; "
                                "is it a Redis server?",
                                command));
}

class redis_finder : public peer_finder {
public:
  explicit redis_finder(redis_peers_config config)
    : config_(std::move(config)) {}

  caf::expected<findings> look() override {
    auto found = register_and_read();
    if (found)
      return found;
    connection_.reset();
    return make_error(errc::unavailable,
                      fmt::format("Redis at {}: {}", to_string(config_.server),
                                  describe(found.error()).detail));
  }

  void withdraw() override {
    if (connection_)
      connection_->command({"DEL", own_key()});
  }

private:
  std::string own_key() const {
    return registration_key(config_.cluster_name, config_.self);
  }

  caf::expected<findings> register_and_read() {
    if (auto problem = connect())
      return problem;
    auto set = connection_->command(
      {"SET", own_key(), to_string(config_.self_address), "PX",
       std::to_string(config_.time_to_live.count())});
    if (!set)
      return std::move(set.error());
    auto registered = scan();
    if (!registered)
      return std::move(registered.error());
    return read(*registered);
  }

  caf::error connect() {
    if (connection_)
      return caf::none;
    auto opened = redis_connection::open(config_.server, config_.timeout);
    if (!opened)
      return std::move(opened.error());
    if (!config_.password.empty())
      if (auto let_in = opened->command({"AUTH", config_.password}); !let_in)
        return std::move(let_in.error());
    connection_ = std::move(*opened);
    return caf::none;
  }

  caf::expected<keys> scan() {
    auto pattern = registration_pattern(config_.cluster_name);
    auto until = std::chrono::steady_clock::now() + longest_scan;
    keys result;
    std::string cursor = "0";
    do {
      if (std::chrono::steady_clock::now() > until)
        return make_error(
          errc::unavailable,
          fmt::format("holds too many other keys: SCAN took more than {} ms; "
                      "use a Redis of its own for discovery.redis",
                      longest_scan.count()));
      auto reply = connection_->command(
        {"SCAN", cursor, "MATCH", pattern, "COUNT", scan_count});
      if (!reply)
        return std::move(reply.error());
      auto parts = elements_of(**reply);
      if (parts.size() != 2 || text_of(*parts[0]).empty())
        return unexpected("SCAN");
      cursor = text_of(*parts[0]);
      for (auto* key : elements_of(*parts[1]))
        result.emplace(text_of(*key));
    } while (cursor != "0");
    return result;
  }

  caf::expected<findings> read(const keys& registered) {
    findings result;
    if (registered.empty())
      return result;
    std::vector<std::string> words{"MGET"};
    words.insert(words.end(), registered.begin(), registered.end());
    auto reply = connection_->command(words);
    if (!reply)
      return std::move(reply.error());
    auto values = elements_of(**reply);
    if (values.size() != registered.size())
      return unexpected("MGET");
    auto key = registered.begin();
    for (auto* value : values) {
      take(*key++, *value, result);
    }
    return result;
  }

  static void take(const std::string& key, const redisReply& value,
                   findings& to) {
    // Expired since SCAN, or of another type than a string.
    if (value.type == REDIS_REPLY_NIL)
      return;
    if (auto where = parse_endpoint(text_of(value)))
      to.addresses.push_back(std::move(*where));
    else
      to.complaints.push_back(fmt::format(
        "the value of key {} in Redis is no node's address, must be {}", key,
        endpoint_format));
  }

  redis_peers_config config_;
  std::optional<redis_connection> connection_;
};

} // namespace

std::shared_ptr<peer_finder> find_in_redis(redis_peers_config config) {
  return std::make_shared<redis_finder>(std::move(config));
}

} // namespace troupe

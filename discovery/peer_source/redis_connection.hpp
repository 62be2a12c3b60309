#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <caf/expected.hpp>

#include "messages/cluster_state.hpp"

struct redisContext;
struct redisReply;

namespace troupe {

struct free_redis_reply {
  void operator()(redisReply* reply) const;
};

/// Never null.
using redis_reply = std::unique_ptr<redisReply, free_redis_reply>;

/// A blocking connection to a Redis server (hiredis). After an error only its
/// end is left.
class redis_connection {
public:
  /// Errors: unavailable.
  static caf::expected<redis_connection>
  open(const endpoint& where, std::chrono::milliseconds timeout);

  /// Sends a command and waits for its reply, each for up to the timeout.
  /// Errors: unavailable; an error reply is one too.
  caf::expected<redis_reply> command(const std::vector<std::string>& words);

private:
  struct close {
    void operator()(redisContext* context) const;
  };
  using context = std::unique_ptr<redisContext, close>;

  redis_connection(context opened, std::chrono::milliseconds timeout)
    : context_(std::move(opened)), timeout_(timeout) {}

  caf::expected<redis_reply> await_reply();
  caf::error failed() const;
  caf::error overdue() const;

  context context_;
  std::chrono::milliseconds timeout_;
};

} // namespace troupe

#include "discovery/peer_source/redis_connection.hpp"

#include <cerrno>

#include <fmt/format.h>

#include <hiredis/hiredis.h>

#include "discovery/peer_source/redis_registration.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

timeval to_timeval(std::chrono::milliseconds x) {
  return {x.count() / 1000, x.count() % 1000 * 1000};
}

} // namespace

void free_redis_reply::operator()(redisReply* reply) const {
  ::freeReplyObject(reply);
}

void redis_connection::close::operator()(redisContext* context) const {
  ::redisFree(context);
}

caf::expected<redis_connection>
redis_connection::open(const endpoint& where,
                       std::chrono::milliseconds timeout) {
  redis_connection result{
    context{::redisConnectWithTimeout(where.host.c_str(), where.port,
                                      to_timeval(timeout))},
    timeout};
  auto* opened = result.context_.get();
  if (opened == nullptr)
    return make_error(errc::unavailable, "out of memory");
  if (opened->err != 0
      || ::redisSetTimeout(opened, to_timeval(timeout)) != REDIS_OK)
    return result.failed();
  return result;
}

caf::expected<redis_reply>
redis_connection::command(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (auto& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (::redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()),
                               texts.data(), sizes.data())
      != REDIS_OK)
    return failed();
  int sent = 0;
  while (sent == 0)
    if (::redisBufferWrite(context_.get(), &sent) != REDIS_OK)
      return failed();
  auto reply = await_reply();
  if (reply && (*reply)->type == REDIS_REPLY_ERROR) {
    std::string_view said{(*reply)->str, (*reply)->len};
    return make_error(errc::unavailable,
                      fmt::format("answers {} with \"{}\"{}", words.front(),
                                  said, advice_for(said)));
  }
  return reply;
}

/// Not hiredis' own, whose timeout begins anew with each byte.
caf::expected<redis_reply> redis_connection::await_reply() {
  auto until = std::chrono::steady_clock::now() + timeout_;
  while (true) {
    void* reply = nullptr;
    if (::redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK)
      return failed();
    if (reply != nullptr)
      return redis_reply{static_cast<redisReply*>(reply)};
    if (std::chrono::steady_clock::now() >= until)
      return overdue();
    if (::redisBufferRead(context_.get()) != REDIS_OK)
      return failed();
  }
}

caf::error redis_connection::failed() const {
  if (context_->err == REDIS_ERR_IO && errno == EAGAIN)
    return overdue();
  return make_error(errc::unavailable, context_->errstr);
}

caf::error redis_connection::overdue() const {
  return make_error(errc::unavailable,
                    fmt::format("no answer within {} ms", timeout_.count()));
}

} // namespace troupe

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/verb.hpp>
#include <boost/container/small_vector.hpp>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include "http/server/body_budget.hpp"

namespace troupe {

using http_verb = boost::beast::http::verb;

/// What a client asked. Owns its text, so it may be read from any thread and
/// outlives its connection.
class http_request {
public:
  http_verb method = http_verb::unknown;
  std::string body;
  body_share share;
  /// The client's `X-Request-Id`, or one made here.
  std::string request_id;
  std::string remote_address;
  /// When the server answers 504 in the handler's place.
  std::chrono::steady_clock::time_point deadline{};

  /// Takes the request line. False when the target is neither a path, nor an
  /// absolute URI, nor `*`.
  bool set_target(std::string_view target);

  void add_header(std::string_view name, std::string_view value);

  /// As it stood in the request line.
  std::string_view target() const { return view(target_); }

  /// The target's path, still percent-encoded.
  std::string_view path() const { return view(path_); }

  /// What follows the `?`, still percent-encoded.
  std::string_view query() const { return view(query_); }

  /// The first header of that name in any case, or an empty view.
  std::string_view header(std::string_view name) const;

private:
  struct range {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  struct field {
    range name;
    range value;
  };

  std::string_view view(range what) const {
    return std::string_view{text_}.substr(what.begin, what.size);
  }

  range append(std::string_view text);

  std::string text_;
  range target_;
  range path_;
  range query_;
  boost::container::small_vector<field, 12> fields_;
};

inline constexpr std::string_view json_type = "application/json";

/// What the client gets. The server adds `Content-Length`, `Date`,
/// `X-Request-Id`, `Connection` and the security headers.
struct http_response {
  unsigned status = 200;
  /// Of static storage duration.
  std::string_view content_type = json_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Where an exchange's answer goes: a connection, or a test. Both functions may
/// be called from any thread; only the first call for a sequence counts.
class answer_channel : public caf::ref_counted {
public:
  virtual void deliver(std::uint64_t sequence, http_response answer) = 0;

  /// Nobody holds the exchange any more, and nobody answered.
  virtual void abandon(std::uint64_t sequence) = 0;
};

/// One request and its one answer. Sent to actors as it is. Whoever lets the
/// last reference go without an answer makes the server answer 503, so a killed
/// handler leaves no client waiting.
class http_exchange final : public caf::ref_counted {
public:
  http_exchange(http_request request,
                caf::intrusive_ptr<answer_channel> channel,
                std::uint64_t sequence);

  ~http_exchange() override;

  const http_request& request() const noexcept { return request_; }

  /// From any thread, once; later calls do nothing.
  void respond(http_response answer);

  void respond(unsigned status, std::string_view content_type,
               std::string body) {
    respond({status, content_type, std::move(body), {}});
  }

  bool answered() const noexcept { return answered_.load(); }

private:
  http_request request_;
  caf::intrusive_ptr<answer_channel> channel_;
  std::uint64_t sequence_;
  std::atomic<bool> answered_{false};
};

using http_exchange_ptr = caf::intrusive_ptr<http_exchange>;

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::http_exchange_ptr)

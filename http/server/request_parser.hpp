#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/parsing/message_parser.hpp"
#include "http/server/exchange.hpp"
#include "messages/error.hpp"

namespace troupe {

struct server_config;

/// Fills an `http_request` directly, without Beast's message and field objects,
/// and is stricter where leniency lets requests be smuggled past a proxy.
/// Serves one request.
class request_parser final : public message_parser<true> {
public:
  /// The request's body takes its share of `bodies`, which may be null.
  request_parser(const server_config& config,
                 std::shared_ptr<body_budget> bodies);

  http_request request;

  /// The client waits for `100 Continue` (RFC 9110 §10.1.1).
  bool expects_continue() const noexcept { return expects_continue_; }

  struct problem {
    unsigned status = 400;
    errc code = errc::malformed;
    std::string detail;
    /// `header`, `body` or empty.
    std::string field = {};
  };

  /// Why `parse` failed.
  problem why_refused(const error_code& failure) const;

  bool http_1_1() const noexcept { return http_1_1_; }

private:
  error_code take_request_line(verb id, std::string_view method,
                               std::string_view target, int version) override;
  error_code take_field(field id, std::string_view name,
                        std::string_view value) override;
  error_code take_header_end() override;
  error_code take_body(std::string_view bytes) override;
  error_code take_chunk_body(std::uint64_t left,
                             std::string_view bytes) override;

  error_code refuse(problem why);
  error_code refuse(std::string detail);
  bool reserve_body(std::size_t size);

  const server_config& config_;
  /// Of all requests' bodies.
  std::uint64_t budget_bytes_;
  std::uint64_t body_limit_ = 0;
  std::uint32_t hosts_ = 0;
  bool http_1_1_ = true;
  bool expects_continue_ = false;
  std::optional<problem> refusal_;
};

} // namespace troupe

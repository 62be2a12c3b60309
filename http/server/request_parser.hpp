#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/server/exchange.hpp"

namespace troupe {

struct server_config;

/// Beast's parser filling an `http_request` directly, without Beast's message
/// and field objects, and stricter where leniency lets requests be smuggled
/// past a proxy. Serves one request.
class request_parser final : public boost::beast::http::basic_parser<true> {
public:
  /// The request's body takes its share of `bodies`, which may be null.
  request_parser(const server_config& config,
                 std::shared_ptr<body_budget> bodies);

  /// Parses some bytes, as `basic_parser::put`, and holds the whole head to
  /// the limit, however it is split.
  std::size_t feed(const char* data, std::size_t size,
                   boost::beast::error_code& failure);

  http_request request;

  /// The client waits for `100 Continue` (RFC 9110 §10.1.1).
  bool expects_continue() const noexcept { return expects_continue_; }

  /// `Expect` asked for something else.
  bool expects_unknown() const noexcept { return expects_unknown_; }

  /// The body did not fit the budget of all bodies.
  bool over_budget() const noexcept { return over_budget_; }

  /// What our own checks found wrong; empty: Beast's code says it.
  std::string_view complaint() const noexcept { return complaint_; }

  bool http_1_1() const noexcept { return http_1_1_; }

  std::uint64_t body_limit_bytes() const noexcept { return body_limit_; }

private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(http_verb method, string_view name, string_view target,
                       int version, error_code& failure) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field which, string_view name,
                     string_view value, error_code& failure) override;
  void on_header_impl(error_code& failure) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         error_code& failure) override;
  std::size_t on_body_impl(string_view bytes, error_code& failure) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remaining, string_view bytes,
                                 error_code& failure) override;
  void on_finish_impl(error_code& failure) override;

  std::size_t append_body(string_view bytes, error_code& failure);
  void complain(std::string_view what, error_code& failure);

  const server_config& config_;
  std::uint64_t body_limit_ = 0;
  std::size_t head_bytes_ = 0;
  std::uint32_t hosts_ = 0;
  bool http_1_1_ = true;
  bool head_done_ = false;
  bool expects_continue_ = false;
  bool expects_unknown_ = false;
  bool over_budget_ = false;
  std::string_view complaint_;
};

} // namespace troupe

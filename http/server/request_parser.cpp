#include "http/server/request_parser.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/http/error.hpp>

#include "http/parsing/refusal.hpp"
#include "http/parsing/request_target.hpp"
#include "http/server/server.hpp"

namespace troupe {

namespace http = boost::beast::http;

namespace {

bool usable_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 128
         && std::all_of(text.begin(), text.end(),
                        [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

request_parser::request_parser(const server_config& config,
                               std::shared_ptr<body_budget> bodies)
  : message_parser(config.max_header_bytes), config_(config),
    budget_bytes_(bodies ? bodies->limit() : 0) {
  request.share = body_share{std::move(bodies)};
}

request_parser::problem
request_parser::why_refused(const error_code& failure) const {
  if (refusal_)
    return *refusal_;
  if (failure == http::error::body_limit)
    return {413, errc::too_large,
            "the body is larger than this route takes: "
              + std::to_string(body_limit_) + " bytes",
            "body"};
  auto why = explain_refusal(failure, config_.max_header_bytes);
  if (why.status == 500)
    return {500, errc::internal, std::move(why.detail)};
  if (why.status != 431)
    return {why.status, errc::malformed, std::move(why.detail)};
  if (start_line_done())
    return {431, errc::too_large, std::move(why.detail), "header"};
  return {414, errc::too_large,
          "the request line is larger than "
            + std::to_string(config_.max_header_bytes) + " bytes",
          "header"};
}

request_parser::error_code request_parser::refuse(problem why) {
  refusal_ = std::move(why);
  return http::error::bad_value;
}

request_parser::error_code request_parser::refuse(std::string detail) {
  return refuse(problem{400, errc::malformed, std::move(detail)});
}

request_parser::error_code
request_parser::take_request_line(verb id, std::string_view,
                                  std::string_view target, int version) {
  request.method = id;
  http_1_1_ = version >= 11;
  if (auto wrong = read_target(target).wrong; !wrong.empty())
    return refuse(std::string{wrong});
  if (!request.set_target(target))
    return refuse("the request target is not a path");
  body_limit_ = config_.body_limit(id, request.path());
  max_body_bytes(body_limit_);
  return {};
}

request_parser::error_code request_parser::take_field(field id,
                                                      std::string_view name,
                                                      std::string_view value) {
  auto is = [&](boost::beast::string_view text) {
    return boost::beast::iequals({value.data(), value.size()}, text);
  };
  switch (id) {
    case field::host:
      ++hosts_;
      if (!is_host_field(value))
        return refuse(std::string{bad_host});
      break;
    case field::expect:
      // An HTTP/1.0 client does not wait for 100 (RFC 9110 §10.1.1).
      expects_continue_ = http_1_1_;
      if (http_1_1_ && !is("100-continue"))
        return refuse(
          {417, errc::malformed, "only 'Expect: 100-continue' is known"});
      break;
    case field::transfer_encoding:
      // Anything else leaves in doubt where the body ends (RFC 9112 §6.1).
      if (!http_1_1_ || !is("chunked"))
        return refuse("Transfer-Encoding must be 'chunked', in HTTP/1.1");
      break;
    default:
      if (name.size() == 12
          && boost::beast::iequals({name.data(), name.size()}, "X-Request-Id")
          && usable_request_id(value))
        request.request_id = value;
      break;
  }
  request.add_header(name, value);
  return {};
}

request_parser::error_code request_parser::take_header_end() {
  // RFC 9112 §3.2
  if (hosts_ > 1)
    return refuse("more than one Host header");
  if (http_1_1_ && hosts_ == 0)
    return refuse("the Host header is missing");
  return {};
}

request_parser::error_code request_parser::take_body(std::string_view bytes) {
  if (!reserve_body(request.body.size() + bytes.size()))
    return refuse({503, errc::overloaded,
                   "the bodies of all requests under way would be larger than "
                     + std::to_string(budget_bytes_)
                     + " bytes; try again later"});
  request.body.append(bytes);
  return {};
}

/// Grows with the bytes that came, not with those that were announced, and
/// takes its share for all the memory that this reserves.
bool request_parser::reserve_body(std::size_t size) {
  auto& body = request.body;
  if (size <= body.capacity())
    return true;
  auto doubled = std::min<std::uint64_t>(2 * body.capacity(), body_limit_);
  for (auto wanted : {std::max<std::uint64_t>(doubled, size), size})
    if (request.share.grow(wanted - body.capacity())) {
      body.reserve(wanted);
      return true;
    }
  return false;
}

request_parser::error_code
request_parser::take_chunk_body(std::uint64_t, std::string_view bytes) {
  return take_body(bytes);
}

} // namespace troupe

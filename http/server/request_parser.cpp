#include "http/server/request_parser.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/http/error.hpp>

#include "http/server/server.hpp"

namespace troupe {

namespace http = boost::beast::http;

namespace {

std::string_view standard(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

bool usable_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 128
         && std::all_of(text.begin(), text.end(),
                        [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

request_parser::request_parser(const server_config& config,
                               std::shared_ptr<body_budget> bodies)
  : config_(config) {
  request.share = body_share{std::move(bodies)};
  eager(true);
  header_limit(config.max_header_bytes);
}

std::size_t request_parser::feed(const char* data, std::size_t size,
                                 boost::beast::error_code& failure) {
  auto in_head = !head_done_;
  auto used = put(boost::asio::const_buffer{data, size}, failure);
  // Beast forgets what it consumed, so a head that trickles in line by line
  // would never reach its limit.
  if (in_head && !head_done_) {
    head_bytes_ += used;
    if (head_bytes_ > config_.max_header_bytes
        && (!failure || failure == http::error::need_more))
      failure = http::error::header_limit;
  }
  return used;
}

void request_parser::complain(std::string_view what, error_code& failure) {
  complaint_ = what;
  failure = http::error::bad_value;
}

void request_parser::on_request_impl(http_verb method, string_view,
                                     string_view target, int version,
                                     error_code& failure) {
  request.method = method;
  http_1_1_ = version >= 11;
  if (!request.set_target(standard(target)))
    return complain("the request target is no path", failure);
  body_limit_ = config_.body_limit(request.path());
  body_limit(body_limit_);
}

void request_parser::on_field_impl(http::field which, string_view name,
                                   string_view value, error_code& failure) {
  if (head_done_)
    return; // A trailer: nothing here needs one.
  auto text = standard(value);
  switch (which) {
    case http::field::host:
      ++hosts_;
      break;
    case http::field::expect:
      expects_continue_ = boost::beast::iequals(value, "100-continue");
      expects_unknown_ = !expects_continue_;
      break;
    case http::field::transfer_encoding:
      // Anything else leaves in doubt where the body ends (RFC 9112 §6.1).
      if (!http_1_1_ || !boost::beast::iequals(value, "chunked"))
        return complain("Transfer-Encoding must be 'chunked', in HTTP/1.1",
                        failure);
      break;
    default:
      if (standard(name).size() == 12
          && boost::beast::iequals(name, "X-Request-Id")
          && usable_request_id(text))
        request.request_id = text;
      break;
  }
  request.add_header(standard(name), text);
}

void request_parser::on_header_impl(error_code& failure) {
  head_done_ = true;
  // RFC 9112 §3.2
  if (hosts_ > 1)
    complain("more than one Host header", failure);
  else if (http_1_1_ && hosts_ == 0)
    complain("the Host header is missing", failure);
}

void request_parser::on_body_init_impl(
  const boost::optional<std::uint64_t>& length, error_code&) {
  // A client's claim reserves little; real bytes make the body grow.
  if (length)
    request.body.reserve(std::min<std::uint64_t>(*length, 64 << 10));
}

std::size_t request_parser::append_body(string_view bytes,
                                        error_code& failure) {
  if (!request.share.grow(bytes.size())) {
    over_budget_ = true;
    failure = http::error::body_limit;
    return 0;
  }
  request.body.append(bytes.data(), bytes.size());
  return bytes.size();
}

std::size_t request_parser::on_body_impl(string_view bytes,
                                         error_code& failure) {
  return append_body(bytes, failure);
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view bytes,
                                               error_code& failure) {
  return append_body(bytes, failure);
}

void request_parser::on_finish_impl(error_code&) {
}

} // namespace troupe

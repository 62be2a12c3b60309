#include "http/proxy/response_forwarder.hpp"

#include <limits>

namespace troupe::proxying {

namespace {

namespace http = boost::beast::http;

std::string_view to_std(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

response_forwarder::response_forwarder(const options& with, std::string& out)
  : options_(with), out_(out) {
  eager(true);
  skip(with.to_head_request);
  header_limit(static_cast<std::uint32_t>(with.max_header_bytes));
  // Not none, which Beast 1.74 takes for 0.
  body_limit(std::numeric_limits<std::uint64_t>::max());
}

std::size_t response_forwarder::forward(std::string_view input,
                                        error_code& failure) {
  input_ = input;
  return put({input.data(), input.size()}, failure);
}

void response_forwarder::on_response_impl(int status, string_view reason, int,
                                          error_code& failure) {
  failure = {};
  if (status < 100) {
    failure = http::error::bad_status;
    return;
  }
  status_ = static_cast<unsigned>(status);
  out_.append("HTTP/1.1 ").append(std::to_string(status)).push_back(' ');
  out_.append(reason.data(), reason.size()).append("\r\n");
  header_start_ = out_.size();
}

void response_forwarder::on_field_impl(field name, string_view raw_text,
                                       string_view raw_value,
                                       error_code& failure) {
  auto text = to_std(raw_text);
  auto value = to_std(raw_value);
  failure = {};
  header_bytes_ += text.size() + value.size() + 4;
  if (header_bytes_ > options_.max_header_bytes) {
    failure = http::error::header_limit;
    return;
  }
  // Trailers may be discarded (RFC 9110 §6.5.1), and are.
  if (header_done_)
    return;
  switch (name) {
    case field::connection:
      connection_.add(value);
      return;
    case field::upgrade:
      upgrade_to_ = value;
      return;
    case field::transfer_encoding:
      // With another coding nobody could tell where the body ends.
      if (!iequals(value, "chunked"))
        failure = http::error::bad_transfer_encoding;
      return;
    case field::content_length:
      return;
    case field::unknown:
      names_request_id_ |= iequals(text, "x-request-id");
      break;
    default:
      if (is_hop_by_hop(name))
        return;
  }
  if (!append_field(out_, text, value, input_))
    failure = http::error::bad_obs_fold;
}

void response_forwarder::on_header_impl(error_code& failure) {
  failure = {};
  header_done_ = true;
  if (!connection_.fields.empty())
    remove_fields(out_, header_start_, connection_.fields);
  append_framing();
  if (!names_request_id_ && !is_interim())
    out_.append("X-Request-Id: ").append(options_.request_id).append("\r\n");
  out_.append("\r\n");
}

void response_forwarder::append_framing() {
  if (status_ == 101) {
    out_.append("Connection: Upgrade\r\nUpgrade: ")
      .append(upgrade_to_)
      .append("\r\n");
    return;
  }
  if (is_interim())
    return;
  auto has_body = !options_.to_head_request && status_ != 204 && status_ != 304;
  auto length = content_length();
  if (length && status_ != 204) {
    out_.append("Content-Length: ")
      .append(std::to_string(*length))
      .append("\r\n");
  } else if (!options_.to_http_1_0 && (has_body || chunked())
             && status_ != 204) {
    // A body that the server ends by closing is chunked for the client, so
    // that its connection stays and a truncated body is seen as one.
    chunk_body_ = has_body;
    out_.append("Transfer-Encoding: chunked\r\n");
  } else if (has_body) {
    until_close_ = true;
    options_.keep_client = false;
  }
  if (!options_.keep_client)
    out_.append("Connection: close\r\n");
  else if (options_.to_http_1_0)
    out_.append("Connection: keep-alive\r\n");
}

std::size_t response_forwarder::on_body_impl(string_view body,
                                             error_code& failure) {
  failure = {};
  if (chunk_body_ && !body.empty())
    append_chunk_header(out_, body.size());
  out_.append(body.data(), body.size());
  if (chunk_body_ && !body.empty())
    out_.append("\r\n");
  return body.size();
}

void response_forwarder::on_chunk_header_impl(std::uint64_t size, string_view,
                                              error_code& failure) {
  failure = {};
  if (chunk_body_ && size > 0)
    append_chunk_header(out_, size);
}

std::size_t response_forwarder::on_chunk_body_impl(std::uint64_t left,
                                                   string_view body,
                                                   error_code& failure) {
  failure = {};
  out_.append(body.data(), body.size());
  if (chunk_body_ && left == body.size())
    out_.append("\r\n");
  return body.size();
}

void response_forwarder::on_finish_impl(error_code& failure) {
  failure = {};
  if (chunk_body_)
    out_.append("0\r\n\r\n");
}

} // namespace troupe::proxying

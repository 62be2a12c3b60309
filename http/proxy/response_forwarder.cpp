#include "http/proxy/response_forwarder.hpp"

#include <boost/beast/http/error.hpp>

namespace troupe::proxying {

namespace http = boost::beast::http;

response_forwarder::response_forwarder(const options& with, std::string& out)
  : forwarder(out, with.max_header_bytes), options_(with) {
  if (with.to_head_request)
    expect_no_body();
}

response_forwarder::error_code
response_forwarder::take_status_line(unsigned status, std::string_view reason,
                                     int version) {
  if (status < 100)
    return http::error::bad_status;
  status_ = status;
  is_http_1_0_ = version < 11;
  out_.append("HTTP/1.1 ").append(std::to_string(status)).push_back(' ');
  out_.append(reason).append("\r\n");
  header_start_ = out_.size();
  return {};
}

response_forwarder::error_code
response_forwarder::take_field(field id, std::string_view name,
                               std::string_view value) {
  switch (id) {
    case field::connection:
      connection_.add(value);
      return {};
    case field::upgrade:
      upgrade_to_ = value;
      return {};
    case field::transfer_encoding:
      // With another coding nobody could tell where the body ends.
      if (!iequals(value, "chunked"))
        return http::error::bad_transfer_encoding;
      return {};
    case field::content_length:
      return {};
    case field::proxy_authenticate:
      authenticates_connection_ |= proxying::authenticates_connection(value);
      return {};
    case field::www_authenticate:
      authenticates_connection_ |= proxying::authenticates_connection(value);
      break;
    case field::unknown:
      names_request_id_ |= iequals(name, "x-request-id");
      break;
    default:
      if (is_hop_by_hop(id))
        return {};
  }
  append_field(out_, name, value);
  return {};
}

response_forwarder::error_code response_forwarder::take_header_end() {
  connection_.remove_named_fields(out_, header_start_);
  append_framing();
  if (!names_request_id_ && !is_interim())
    out_.append("X-Request-Id: ").append(options_.request_id).append("\r\n");
  out_.append("\r\n");
  return {};
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

response_forwarder::error_code
response_forwarder::take_body(std::string_view bytes) {
  if (chunk_body_)
    append_chunk_header(out_, bytes.size());
  out_.append(bytes);
  if (chunk_body_)
    out_.append("\r\n");
  return {};
}

response_forwarder::error_code
response_forwarder::take_chunk_header(std::uint64_t size) {
  if (chunk_body_)
    append_chunk_header(out_, size);
  return {};
}

response_forwarder::error_code
response_forwarder::take_chunk_body(std::uint64_t left,
                                    std::string_view bytes) {
  out_.append(bytes);
  if (chunk_body_ && left == bytes.size())
    out_.append("\r\n");
  return {};
}

response_forwarder::error_code response_forwarder::take_end() {
  if (chunk_body_)
    out_.append("0\r\n\r\n");
  return {};
}

} // namespace troupe::proxying

#include "http/server/response_writer.hpp"

#include <algorithm>
#include <charconv>

#include <boost/beast/http/status.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace troupe {

namespace {

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, end);
}

/// A line break in a value would let its author write headers of their own.
void append_value(std::string& out, std::string_view value) {
  for (auto c : value)
    out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

void append_status_line(std::string& out, unsigned status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  namespace http = boost::beast::http;
  auto reason = http::obsolete_reason(http::int_to_status(status));
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out.append(reason.data(), reason.size());
  out += "\r\n";
}

} // namespace

void append_response(std::string& out, const http_response& answer,
                     const response_frame& frame) {
  append_status_line(out, answer.status);
  // RFC 9110 §8.6: neither a body nor its length.
  auto bodiless = answer.status == 204 || answer.status == 304;
  if (!bodiless) {
    out += "Content-Type: ";
    out += answer.content_type;
    out += "\r\nContent-Length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  }
  out += "Date: ";
  out += frame.date;
  out += "\r\nX-Request-Id: ";
  out += frame.request_id;
  out += "\r\n";
  if (!frame.keep_alive)
    out += "Connection: close\r\n";
  else if (!frame.http_1_1)
    out += "Connection: keep-alive\r\n";
  out += frame.common_headers;
  for (auto& [name, value] : answer.headers) {
    append_value(out, name);
    out += ": ";
    append_value(out, value);
    out += "\r\n";
  }
  out += "\r\n";
  if (!frame.head_only && !bodiless)
    out += answer.body;
}

std::string_view security_headers() {
  return "X-Content-Type-Options: nosniff\r\n"
         "X-Frame-Options: SAMEORIGIN\r\n"
         "Referrer-Policy: no-referrer\r\n"
         "Content-Security-Policy: default-src 'self'; base-uri 'self'; "
         "form-action 'self'; frame-ancestors 'self'; object-src 'none'\r\n"
         "Cross-Origin-Opener-Policy: same-origin\r\n"
         "Cross-Origin-Resource-Policy: same-origin\r\n"
         "Origin-Agent-Cluster: ?1\r\n"
         "X-DNS-Prefetch-Control: off\r\n"
         "X-Download-Options: noopen\r\n"
         "X-Permitted-Cross-Domain-Policies: none\r\n"
         "X-XSS-Protection: 0\r\n"
         "Cache-Control: no-store\r\n";
}

std::string_view http_date::at(std::time_t now) {
  if (now != made_at_) {
    text_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
    made_at_ = now;
  }
  return text_;
}

} // namespace troupe

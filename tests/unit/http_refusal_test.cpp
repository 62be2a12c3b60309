#define CAF_SUITE http_refusal

#include "http/server/request_parser.hpp"
#include "http/server/server.hpp"

#include <boost/beast/http/error.hpp>

#include <caf/test/dsl.hpp>

#include "request_refusals.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

namespace http = boost::beast::http;

outcome refuse(std::string_view text, const std::vector<std::size_t>& cuts) {
  server_config config;
  config.max_header_bytes = max_head;
  request_parser parser{config, nullptr};
  outcome result;
  boost::beast::error_code failure;
  std::size_t used = 0;
  for (auto end : cuts) {
    used += parser.parse(text.substr(used, end - used), failure);
    if (failure && failure != http::error::need_more) {
      auto why = parser.why_refused(failure);
      result.status = why.status;
      result.detail = why.detail;
      // A refusal is for good.
      parser.parse(text.substr(used), failure);
      if (!failure || failure == http::error::need_more)
        result.left = "it went on";
      break;
    }
    if (parser.is_done())
      break;
  }
  if (result.status != 0 && parser.is_done())
    result.left = "a request";
  return result;
}

std::vector<reason> reasons_of_the_api() {
  return {
    {400, "the Host header is missing", host("")},
    {400, "more than one Host header", add("Host: other\r\n")},
    {400, "Transfer-Encoding must be 'chunked', in HTTP/1.1",
     add("Transfer-Encoding: gzip\r\n"), framing::none},
    {400, "Transfer-Encoding must be 'chunked', in HTTP/1.1",
     version("HTTP/1.0"), framing::chunked},
    {417, "only 'Expect: 100-continue' is known", add("Expect: 200-ok\r\n")},
  };
}

} // namespace

CAF_TEST(what is not spoiled is taken) {
  CAF_CHECK_EQUAL(wrongly_refused(refuse), "");
}

CAF_TEST(a request refused by its head becomes none) {
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_in_lines()), "");
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_in_target_and_host()), "");
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_of_the_api()), "");
}

CAF_TEST(a request refused by its body becomes none) {
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_in_chunks()), "");
}

CAF_TEST(a body beyond its limit is refused by what announces it) {
  server_config config;
  config.max_body_bytes = 4;
  auto status = [&](std::string_view text) {
    request_parser parser{config, nullptr};
    boost::beast::error_code failure;
    parser.parse(text, failure);
    return failure ? parser.why_refused(failure).status : 0;
  };
  CAF_CHECK_EQUAL(status("POST / HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 4\r\n\r\n1234"),
                  0u);
  CAF_CHECK_EQUAL(status("POST / HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 5\r\n\r\n12345"),
                  413u);
  CAF_CHECK_EQUAL(status("POST / HTTP/1.1\r\nHost: a\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\n12\r\n3\r\n345\r\n0\r\n\r\n"),
                  413u);
}

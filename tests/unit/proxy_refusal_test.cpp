#define CAF_SUITE proxy_refusal

#include "http/proxy/request_forwarder.hpp"

#include <boost/beast/http/error.hpp>

#include <caf/test/dsl.hpp>

#include "request_refusals.hpp"

using namespace troupe::proxying;
using namespace troupe::test;

namespace {

namespace http = boost::beast::http;

/// Sends what is forwarded as soon as the head is through.
outcome refuse(std::string_view text, const std::vector<std::size_t>& cuts) {
  outcome result;
  std::string out;
  std::string id;
  request_id_source ids{1};
  request_forwarder forwarder{{"1.2.3.4", max_head}, out, id, ids};
  boost::beast::error_code failure;
  std::size_t used = 0;
  for (auto end : cuts) {
    used += forwarder.forward(text.substr(used, end - used), failure);
    if (failure && failure != http::error::need_more) {
      auto why = forwarder.why_refused(failure);
      result.status = why.status;
      result.detail = why.detail;
      // A refusal is for good.
      forwarder.forward(text.substr(std::min(used, text.size())), failure);
      if (!failure || failure == http::error::need_more)
        out += "and it went on";
      break;
    }
    if (forwarder.is_header_done())
      out.clear();
    if (forwarder.is_done())
      break;
  }
  result.left = out;
  return result;
}

std::vector<reason> reasons_of_the_proxy() {
  return {
    {400, "an HTTP/1.1 request needs a Host field", host("")},
    {400, "more than one Host field", add("Host: other\r\n")},
    {400, "the only transfer coding taken is chunked",
     add("Transfer-Encoding: gzip\r\n"), framing::none},
    {400, "the only transfer coding taken is chunked",
     add("Transfer-Encoding: gzip, chunked\r\n"), framing::none},
    {400, "Transfer-Encoding in an HTTP/1.0 request", version("HTTP/1.0"),
     framing::chunked},
    {417, "the only expectation met here is 100-continue",
     add("Expect: 200-ok\r\n")},
    {400, "the request target is not a path",
     [](request_parts& of) {
       of.target = "*";
       of.method = "GET";
     }},
    {405, "the proxy does not take this method", method("TRACE")},
    {405, "the proxy does not take this method", method("CONNECT")},
  };
}

} // namespace

CAF_TEST(what is not spoiled is taken) {
  CAF_CHECK_EQUAL(wrongly_refused(refuse), "");
}

CAF_TEST(a request refused by its head produces nothing) {
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_in_lines()), "");
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_in_target_and_host()), "");
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_of_the_proxy()), "");
}

CAF_TEST(a request refused by its body produces nothing more) {
  CAF_CHECK_EQUAL(wrongly_read(refuse, reasons_in_chunks()), "");
}

CAF_TEST(what was produced before stays when a later request is refused) {
  std::string out = "before";
  std::string id;
  request_id_source ids{1};
  request_forwarder forwarder{{"1.2.3.4", max_head}, out, id, ids};
  boost::beast::error_code failure;
  forwarder.forward("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", failure);
  CAF_CHECK(failure == http::error::bad_value);
  CAF_CHECK_EQUAL(out, "before");
}

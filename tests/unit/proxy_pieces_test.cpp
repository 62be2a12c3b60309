#define CAF_SUITE proxy_pieces

#include "http/proxy/request_forwarder.hpp"
#include "http/proxy/response_forwarder.hpp"

#include <boost/beast/http/error.hpp>

#include <caf/test/dsl.hpp>

// Messages in all pieces they can arrive in, against the whole.

using namespace troupe::proxying;

namespace {

namespace http = boost::beast::http;

/// What a forwarder makes of a text whose pieces end at `cuts`.
template <class Forwarder>
std::string feed(Forwarder& forwarder, std::string& out, std::string_view text,
                 std::vector<std::size_t> cuts) {
  boost::beast::error_code failure;
  std::size_t used = 0;
  for (auto end : cuts) {
    used += forwarder.forward(text.substr(used, end - used), failure);
    if (failure && failure != http::error::need_more)
      return "refused: " + failure.message();
    if (forwarder.is_done())
      return out + "<end, " + std::to_string(text.size() - used) + " left>";
  }
  return out + "<needs more>";
}

std::string request(std::string_view text, std::vector<std::size_t> cuts) {
  std::string out;
  std::string id;
  request_id_source ids{1};
  request_forwarder forwarder{{"1.2.3.4", 1024}, out, id, ids};
  return feed(forwarder, out, text, std::move(cuts));
}

std::string response(std::string_view text, std::vector<std::size_t> cuts) {
  std::string out;
  response_forwarder::options options;
  options.request_id = "id";
  response_forwarder forwarder{options, out};
  return feed(forwarder, out, text, std::move(cuts));
}

/// Every cut in three, which every cut in two is among, and byte by byte.
template <class Forward>
void check_cuts(Forward forward, std::string_view text,
                const std::string& wanted) {
  auto size = text.size();
  CAF_CHECK_EQUAL(forward(text, {size}), wanted);
  std::vector<std::size_t> bytes;
  for (std::size_t first = 1; first <= size; ++first) {
    bytes.push_back(first);
    for (auto second = first; second <= size; ++second)
      if (auto got = forward(text, {first, second, size}); got != wanted)
        CAF_FAIL("cut at " << first << " and " << second << ": " << got);
  }
  CAF_CHECK_EQUAL(forward(text, bytes), wanted);
}

constexpr std::string_view added = "X-Forwarded-Proto: http\r\n"
                                   "X-Forwarded-For: 1.2.3.4\r\n"
                                   "X-Forwarded-Host: a\r\nX-Request-Id: "
                                   "00000000000000010000000000000001\r\n\r\n";

std::string post(std::string_view framing, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string{framing} + "\r\n"
         + std::string{body};
}

std::string posted(std::string_view framing, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string{framing}
         + std::string{added} + std::string{body};
}

constexpr std::string_view chunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view id_line = "X-Request-Id: id\r\n\r\n";

} // namespace

CAF_TEST(an empty chunked request in pieces is forwarded) {
  check_cuts(request, post(chunked, "0\r\n\r\n"),
             posted(chunked, "0\r\n\r\n<end, 0 left>"));
  // What is not there yet is waited for.
  check_cuts(request, post(chunked, "0\r\n\r"),
             posted(chunked, "<needs more>"));
}

CAF_TEST(an empty chunked request with trailers in pieces is forwarded) {
  check_cuts(request, post(chunked, "0;a=\"b\"\r\nA: b\r\nC:\r\n\r\nGET /"),
             posted(chunked, "0\r\n\r\n<end, 5 left>"));
}

CAF_TEST(chunks in pieces are forwarded) {
  // The chunks' ends follow their sizes, so the pieces can't show.
  check_cuts(request,
             post(chunked, "1\r\na\r\n00a ; x\r\n0123456789\r\n000\r\n"
                           "\r\nrest"),
             posted(chunked, "1\r\na\r\na\r\n0123456789\r\n0\r\n\r\n"
                             "<end, 4 left>"));
}

CAF_TEST(a body with a length in pieces is forwarded) {
  check_cuts(request, post("Content-Length: 5\r\n", "12345GET"),
             posted("Content-Length: 5\r\n", "12345<end, 3 left>"));
}

CAF_TEST(an empty chunked response in pieces is forwarded) {
  check_cuts(response,
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
               + std::string{id_line} + "0\r\n\r\n<end, 0 left>");
}

CAF_TEST(a chunked response in pieces is forwarded) {
  check_cuts(response,
             "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3;x=y\r\nabc\r\n2\r\n\r\n\r\n0\r\nT: 1\r\n\r\nHTTP",
             "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n"
               + std::string{id_line}
               + "3\r\nabc\r\n2\r\n\r\n\r\n0\r\n\r\n<end, 4 left>");
}

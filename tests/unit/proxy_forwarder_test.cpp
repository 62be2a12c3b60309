#define CAF_SUITE proxy_forwarder

#include "http/proxy/request_forwarder.hpp"
#include "http/proxy/response_forwarder.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe::proxying;

namespace {

namespace http = boost::beast::http;

/// What became of a request: what was forwarded, or why not.
struct outcome {
  std::string out;
  unsigned refused = 0;
  bool complete = false;
};

/// Feeds `text` in pieces of `step` bytes, as a socket might.
template <class Forwarder>
boost::beast::error_code feed(Forwarder& forwarder, std::string_view text,
                              std::size_t step) {
  boost::beast::error_code failure;
  std::size_t used = 0;
  for (std::size_t end = std::min(step, text.size());;
       end = std::min(end + step, text.size())) {
    while (used < end && !forwarder.is_done()) {
      auto count = forwarder.forward(text.substr(used, end - used), failure);
      used += count;
      if (failure == http::error::need_more)
        break;
      if (failure)
        return failure;
    }
    if (end == text.size() || forwarder.is_done())
      return {};
  }
}

request_forwarder::options from(std::string_view client) {
  return {client, 1024};
}

outcome
forward_request(std::string_view text, std::size_t step = 1 << 20,
                const request_forwarder::options& with = from("1.2.3.4")) {
  outcome result;
  std::string id;
  request_id_source ids{1};
  request_forwarder forwarder{with, result.out, id, ids};
  if (auto failure = feed(forwarder, text, step))
    result.refused = forwarder.why_refused(failure).status;
  result.complete = forwarder.is_done();
  return result;
}

unsigned refusal_of(std::string_view text) {
  auto whole = forward_request(text).refused;
  // The pieces in which it arrives change nothing.
  CAF_CHECK_EQUAL(forward_request(text, 1).refused, whole);
  return whole;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string forward_response(std::string_view text,
                             response_forwarder::options options = {},
                             bool eof = false) {
  std::string out;
  options.request_id = "id";
  response_forwarder forwarder{options, out};
  auto failure = feed(forwarder, text, 1 << 20);
  if (!failure && eof && !forwarder.is_done())
    forwarder.put_eof(failure);
  if (failure)
    return "failed";
  return out;
}

} // namespace

CAF_TEST(a request is forwarded with the proxys fields) {
  auto result = forward_request("GET /a?b HTTP/1.1\r\nHost: h:80\r\n"
                                "Accept:  x \r\nEmpty:\r\n\r\n");
  CAF_CHECK(result.complete);
  CAF_CHECK_EQUAL(result.out, "GET /a?b HTTP/1.1\r\nHost: h:80\r\n"
                              "Accept:  x\r\nEmpty:\r\n"
                              "X-Forwarded-Proto: http\r\n"
                              "X-Forwarded-For: 1.2.3.4\r\n"
                              "X-Forwarded-Host: h:80\r\n"
                              "X-Request-Id: "
                              "00000000000000010000000000000001\r\n\r\n");
}

CAF_TEST(the pieces in which a request arrives change nothing) {
  std::string_view text = "POST / HTTP/1.1\r\nHost: h\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"
                          "5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nTr: x\r\n\r\n";
  auto whole = forward_request(text);
  CAF_CHECK(whole.complete);
  CAF_CHECK(contains(whole.out, "\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"));
  for (std::size_t step = 1; step < 40; ++step)
    CAF_CHECK_EQUAL(forward_request(text, step).out, whole.out);
}

CAF_TEST(hop by hop fields stay here) {
  auto out = forward_request("GET / HTTP/1.1\r\nX-Private: 1\r\nHost: h\r\n"
                             "Connection: keep-alive, x-private, Host\r\n"
                             "Keep-Alive: 5\r\nTE: trailers\r\n"
                             "Proxy-Connection: close\r\nUpgrade: x\r\n"
                             "X-Kept: 1\r\n\r\n")
               .out;
  CAF_CHECK(!contains(out, "X-Private"));
  CAF_CHECK(!contains(out, "Connection"));
  CAF_CHECK(!contains(out, "Keep-Alive"));
  CAF_CHECK(!contains(out, "TE:"));
  CAF_CHECK(!contains(out, "Upgrade"));
  CAF_CHECK(contains(out, "X-Kept: 1\r\n"));
  CAF_CHECK(contains(out, "Host: h\r\n"));
}

CAF_TEST(a great many fields of one connection stay here) {
  // In capitals and small letters, in one line and in others.
  std::string request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: host";
  for (int i = 0; i < 700; ++i)
    request += ",G" + std::to_string(i) + ",q";
  request += "\r\nConnection: Last\r\n";
  std::string kept;
  for (int i = 0; i < 700; ++i) {
    request += "g" + std::to_string(i) + ": x\r\n";
    request += "k" + std::to_string(i) + ": x\r\n";
    kept += "k" + std::to_string(i) + ": x\r\n";
  }
  request += "last: 1\r\nend: 1\r\n\r\n";
  auto with = from("1.2.3.4");
  with.max_header_bytes = 64 << 10;
  auto out = forward_request(request, 1 << 20, with).out;
  CAF_CHECK_EQUAL(out.substr(0, out.find("X-Forwarded-Proto")),
                  "GET / HTTP/1.1\r\nHost: h\r\n" + kept + "end: 1\r\n");
}

CAF_TEST(a head is as large as it may be and no larger) {
  std::string request = "GET / HTTP/1.1\r\nHost: h\r\nA:";
  request += std::string(1024 - 4 - request.size(), ' ') + "\r\n\r\n";
  CAF_CHECK_EQUAL(request.size(), 1024u);
  CAF_CHECK_EQUAL(refusal_of(request), 0u);
  CAF_CHECK(forward_request(request).complete);
  CAF_CHECK_EQUAL(refusal_of("GET /x" + request.substr(5)), 431u);
}

CAF_TEST(forwarding fields of a client are not believed) {
  auto out = forward_request("GET / HTTP/1.1\r\nHost: h\r\n"
                             "X-Forwarded-Host: evil\r\n"
                             "x-forwarded-proto: evil\r\n"
                             "X-Forwarded-For: evil\r\n"
                             "Forwarded: for=evil;proto=https\r\n"
                             "x-forwarded-for: evil, evil\r\n"
                             "X-Real-IP: evil\r\n"
                             "X-Forwarded-Port: evil\r\n"
                             "X-Forwarded-Anything: evil\r\n"
                             "X_Forwarded_For: evil\r\n"
                             "X-Forwarded_Host: evil\r\n"
                             "X_Real-IP: evil\r\n"
                             "X_REQUEST_ID: evil\r\n"
                             "Proxy: evil\r\n"
                             "X-Forwarded: 1\r\nX_Own: 2\r\n"
                             "X-Request-ID: abc-1\r\n\r\n")
               .out;
  CAF_CHECK_EQUAL(out, "GET / HTTP/1.1\r\nHost: h\r\n"
                       "X-Forwarded: 1\r\nX_Own: 2\r\n"
                       "X-Forwarded-Proto: http\r\n"
                       "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: h\r\n"
                       "X-Request-Id: abc-1\r\n\r\n");
}

CAF_TEST(forwarding fields of a trusted proxy are kept) {
  auto trusted = from("1.2.3.4");
  trusted.trusts_client = true;
  auto out = forward_request("GET / HTTP/1.1\r\nHost: inner\r\n"
                             "X-Forwarded-For: 9.9.9.9\r\n"
                             "X-Forwarded-Host: shop\r\n"
                             "x-forwarded-proto: https\r\n"
                             "X-Forwarded-Port: 443\r\n"
                             "X-Real-IP: 9.9.9.9\r\n"
                             "x-forwarded-for: 7.7.7.7, 6.6.6.6\r\n"
                             "Forwarded: for=evil\r\n"
                             "X_Forwarded_For: evil\r\n"
                             "X-Forwarded_Proto: evil\r\n"
                             "PROXY: evil\r\n\r\n",
                             1 << 20, trusted)
               .out;
  CAF_CHECK_EQUAL(out, "GET / HTTP/1.1\r\nHost: inner\r\n"
                       "X-Forwarded-Host: shop\r\n"
                       "x-forwarded-proto: https\r\n"
                       "X-Forwarded-Port: 443\r\n"
                       "X-Real-IP: 9.9.9.9\r\n"
                       "X-Forwarded-For: 9.9.9.9, 7.7.7.7, 6.6.6.6, 1.2.3.4\r\n"
                       "X-Request-Id: "
                       "00000000000000010000000000000001\r\n\r\n");
  // What it does not say is said for it.
  out =
    forward_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 1 << 20, trusted).out;
  CAF_CHECK(contains(out, "X-Forwarded-Proto: http\r\n"
                          "X-Forwarded-For: 1.2.3.4\r\n"
                          "X-Forwarded-Host: h\r\n"));
}

CAF_TEST(requests carry Via where that is asked for) {
  auto with = from("1.2.3.4");
  with.adds_via = true;
  auto via = [&](std::string_view version) {
    auto out = forward_request("GET / " + std::string{version}
                                 + "\r\nHost: h\r\nVia: 1.0 other\r\n\r\n",
                               1 << 20, with)
                 .out;
    CAF_CHECK(contains(out, "Via: 1.0 other\r\n"));
    return contains(out, "Via: 1.1 troupe\r\n")   ? 11
           : contains(out, "Via: 1.0 troupe\r\n") ? 10
                                                  : 0;
  };
  CAF_CHECK_EQUAL(via("HTTP/1.1"), 11);
  CAF_CHECK_EQUAL(via("HTTP/1.0"), 10);
  with.adds_via = false;
  CAF_CHECK_EQUAL(via("HTTP/1.1"), 0);
}

CAF_TEST(trailers are neither forwarded nor announced) {
  auto out = forward_request("POST / HTTP/1.1\r\nHost: h\r\nTrailer: T\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "0\r\nT: 1\r\n\r\n")
               .out;
  CAF_CHECK(!contains(out, "Trailer"));
  CAF_CHECK(out.ends_with("\r\n\r\n0\r\n\r\n"));
  out = forward_response("HTTP/1.1 200 OK\r\ntrailer: T\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"
                         "0\r\nT: 1\r\n\r\n");
  CAF_CHECK(!contains(out, "railer"));
  CAF_CHECK(out.ends_with("\r\n\r\n0\r\n\r\n"));
}

CAF_TEST(an answers head is as large as it may be and no larger) {
  response_forwarder::options limited;
  limited.max_header_bytes = 1024;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA:";
  answer += std::string(1024 - 4 - answer.size(), ' ') + "\r\n\r\n";
  CAF_CHECK(contains(forward_response(answer, limited), "\r\n\r\n"));
  answer.insert(answer.size() - 4, " ");
  CAF_CHECK_EQUAL(forward_response(answer, limited), "failed");
}

CAF_TEST(an absolute target names the host) {
  auto out = forward_request("GET http://real.test/x HTTP/1.1\r\n"
                             "Host: other\r\n\r\n")
               .out;
  CAF_CHECK(contains(out, "GET /x HTTP/1.1\r\nHost: real.test\r\n"));
  CAF_CHECK(!contains(out, "other"));
  out =
    forward_request("GET http://real.test?q HTTP/1.1\r\nHost: o\r\n\r\n").out;
  CAF_CHECK(contains(out, "GET /?q HTTP/1.1\r\n"));
}

CAF_TEST(an upgrade is forwarded but not to clear text http2) {
  auto out = forward_request("GET / HTTP/1.1\r\nHost: h\r\n"
                             "Connection: Upgrade\r\n"
                             "Upgrade: websocket\r\n\r\n")
               .out;
  CAF_CHECK(contains(out, "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  out = forward_request("GET / HTTP/1.1\r\nHost: h\r\n"
                        "Connection: Upgrade, HTTP2-Settings\r\n"
                        "HTTP2-Settings: x\r\nUpgrade: h2c\r\n\r\n")
          .out;
  CAF_CHECK(!contains(out, "pgrade"));
  CAF_CHECK(!contains(out, "HTTP2-Settings"));
}

CAF_TEST(what two parties could read differently is refused) {
  auto with = [](std::string fields, std::string body = "") {
    return refusal_of("POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"
                      + body);
  };
  // The control: none of these lines is wrong.
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\n", "abc"), 0u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
                  0u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"),
                  400u);
  CAF_CHECK_EQUAL(with("Content-Length: 3, 4\r\n", "abc"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: +3\r\n", "abc"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: -3\r\n", "abc"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: 0x3\r\n", "abc"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: 18446744073709551617\r\n", "a"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
                  400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
                  400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: gzip\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked, gzip\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: gzip, chunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: xchunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: \"chunked\"\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked\r\n"
                       "Transfer-Encoding: identity\r\n"),
                  400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding : chunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding:\r\n chunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("X: a\r\n b\r\n"), 400u);
  CAF_CHECK_EQUAL(with("X:\r\n b\r\n"), 400u);
  CAF_CHECK_EQUAL(with("X: a\rb\r\n"), 400u);
  CAF_CHECK_EQUAL(with("X: a\nContent-Length: 3\r\n"), 400u);
  CAF_CHECK_EQUAL(with(" X: a\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Host: other\r\n"), 400u);
}

CAF_TEST(bad chunks are refused) {
  auto with = [](std::string body) {
    return refusal_of("POST / HTTP/1.1\r\nHost: h\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n"
                      + body);
  };
  CAF_CHECK_EQUAL(with("3\r\nabc\r\n0\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(with("3\r\nabcd\r\n0\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("3\nabc\n0\n\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("0x3\r\nabc\r\n0\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("-3\r\nabc\r\n0\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("\r\nabc\r\n0\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
                  400u);
}

CAF_TEST(requests that are not whole or not for us are refused) {
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.0\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.0\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"),
                  400u);
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505u);
  CAF_CHECK_EQUAL(refusal_of("GET x HTTP/1.1\r\nHost: h\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(refusal_of("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(refusal_of("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"), 405u);
  CAF_CHECK_EQUAL(refusal_of("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 405u);
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"),
                  417u);
  std::string long_line(2000, 'x');
  CAF_CHECK_EQUAL(
    refusal_of("GET / HTTP/1.1\r\nHost: h\r\nA: " + long_line + "\r\n\r\n"),
    431u);
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "Connection: xxxxxxxxx\r\n";
  CAF_CHECK_EQUAL(refusal_of("GET / HTTP/1.1\r\n" + many + "\r\n"), 431u);
}

CAF_TEST(a response with a length stays as it is) {
  CAF_CHECK_EQUAL(forward_response("HTTP/1.1 200 Fine\r\nServer: s\r\n"
                                   "Connection: keep-alive, X-Gone\r\n"
                                   "X-Gone: 1\r\nContent-Length: 2\r\n\r\nhi"),
                  "HTTP/1.1 200 Fine\r\nServer: s\r\nContent-Length: 2\r\n"
                  "X-Request-Id: id\r\n\r\nhi");
}

CAF_TEST(a response that ends by closing is chunked) {
  CAF_CHECK_EQUAL(forward_response("HTTP/1.0 200 OK\r\n\r\nhello", {}, true),
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                  "X-Request-Id: id\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  CAF_CHECK_EQUAL(forward_response("HTTP/1.0 200 OK\r\n\r\n", {}, true),
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                  "X-Request-Id: id\r\n\r\n0\r\n\r\n");
}

CAF_TEST(a connection is not used again after chunks in an old version) {
  auto keeps = [](std::string_view version, std::string_view framing) {
    std::string out;
    response_forwarder forwarder{{}, out};
    boost::beast::error_code failure;
    forwarder.forward(std::string{version} + " 200 OK\r\nConnection: keep-alive"
                        + "\r\n" + std::string{framing} + "\r\n\r\n0\r\n\r\n",
                      failure);
    CAF_CHECK(!failure && forwarder.is_done());
    return forwarder.keep_alive();
  };
  CAF_CHECK(keeps("HTTP/1.1", "Transfer-Encoding: chunked"));
  CAF_CHECK(keeps("HTTP/1.0", "Content-Length: 5"));
  CAF_CHECK(!keeps("HTTP/1.0", "Transfer-Encoding: chunked"));
}

CAF_TEST(an old client gets no chunks) {
  response_forwarder::options old;
  old.to_http_1_0 = true;
  CAF_CHECK_EQUAL(forward_response("HTTP/1.1 200 OK\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n"
                                   "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                                   old),
                  "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                  "X-Request-Id: id\r\n\r\nabc");
}

CAF_TEST(responses without body have none) {
  response_forwarder::options head;
  head.to_head_request = true;
  CAF_CHECK_EQUAL(
    forward_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head),
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Request-Id: id\r\n\r\n");
  CAF_CHECK_EQUAL(
    forward_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                     head),
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    "X-Request-Id: id\r\n\r\n");
  CAF_CHECK_EQUAL(
    forward_response("HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n"),
    "HTTP/1.1 304 N\r\nContent-Length: 5\r\nX-Request-Id: id\r\n\r\n");
  CAF_CHECK_EQUAL(
    forward_response("HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n"),
    "HTTP/1.1 204 N\r\nX-Request-Id: id\r\n\r\n");
}

CAF_TEST(responses that are not clear are refused) {
  auto with = [](std::string fields) {
    return forward_response("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
  };
  CAF_CHECK_EQUAL(with("Transfer-Encoding: gzip\r\n"), "failed");
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
                  "failed");
  CAF_CHECK_EQUAL(with("Content-Length: 1\r\nContent-Length: 2\r\n"), "failed");
  CAF_CHECK_EQUAL(with("A: b\r\n c\r\n"), "failed");
  CAF_CHECK_EQUAL(forward_response("HTTP/1.1 099 X\r\n\r\n"), "failed");
  CAF_CHECK_EQUAL(forward_response("nonsense\r\n\r\n"), "failed");
}

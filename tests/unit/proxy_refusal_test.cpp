#define CAF_SUITE proxy_refusal

#include "http/proxy/request_forwarder.hpp"
#include "http/proxy/response_forwarder.hpp"

#include <functional>

#include <boost/beast/http/error.hpp>

#include <caf/test/dsl.hpp>

// Every reason to refuse a message, with every framing and form of it, in every
// two pieces it can arrive in: nothing is produced, and the reason is the same.

using namespace troupe::proxying;

namespace {

namespace http = boost::beast::http;

constexpr std::size_t max_head = 1024;

/// What a body or a later request must not become.
constexpr std::string_view smuggled =
  "GET /admin/delete HTTP/1.1\r\nHost: internal\r\n\r\n";

struct outcome {
  unsigned status = 0;
  std::string detail;
  /// What there was to send once the request was refused.
  std::string left;
};

/// Feeds `text` as if it arrived in pieces that end at `cuts`, and sends what
/// is forwarded as soon as the head is through.
outcome refuse(std::string_view text, const std::vector<std::size_t>& cuts) {
  outcome result;
  std::string out;
  std::string id;
  request_id_source ids{1};
  request_forwarder forwarder{{"", "1.2.3.4", max_head}, out, id, ids};
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

std::vector<std::size_t> each_byte(std::size_t size) {
  std::vector<std::size_t> result;
  for (std::size_t i = 1; i <= size; ++i)
    result.push_back(i);
  return result;
}

std::string shown(const outcome& what) {
  return std::to_string(what.status) + " " + what.detail + " ["
         + what.left.substr(0, 60) + "]";
}

/// The first way to cut `text` that gives something else than `wanted`, or
/// nothing.
std::string first_difference(std::string_view text, const std::string& wanted) {
  auto differs = [&](const std::vector<std::size_t>& cuts) {
    return shown(refuse(text, cuts)) != wanted;
  };
  auto explain = [&](std::string how, const std::vector<std::size_t>& cuts) {
    return how + ": " + shown(refuse(text, cuts)) + " for " + std::string{text};
  };
  if (differs({text.size()}))
    return explain("whole", {text.size()});
  if (differs(each_byte(text.size())))
    return explain("byte by byte", each_byte(text.size()));
  for (std::size_t cut = 1; cut < text.size(); ++cut)
    if (differs({cut, text.size()}))
      return explain("cut at " + std::to_string(cut), {cut, text.size()});
  return {};
}

struct request_parts {
  std::string method;
  std::string target;
  std::string version = "HTTP/1.1";
  std::string host = "Host: shop\r\n";
  std::string fields;
  std::string framing;
  std::string body;

  std::string text() const {
    return method + " " + target + " " + version + "\r\n" + host + fields
           + framing + "\r\n" + body + std::string{smuggled};
  }
};

enum class framing { none, content_length, chunked };

request_parts parts_of(std::string method, bool absolute, framing how) {
  request_parts result;
  result.method = std::move(method);
  result.target = absolute ? "http://shop/public" : "/public";
  auto body = "X: y\r\n\r\n" + std::string{smuggled};
  if (how == framing::content_length) {
    result.framing = "Content-Length: " + std::to_string(body.size()) + "\r\n";
    result.body = body;
  } else if (how == framing::chunked) {
    result.framing = "Transfer-Encoding: chunked\r\n";
    result.body = "4;name=value\r\nX: y\r\n8\r\n" + std::string{"\r\n\r\nGET "}
                  + "\r\n0\r\nTrailer: 1\r\n\r\n";
  }
  return result;
}

struct reason {
  unsigned status;
  std::string detail;
  std::function<void(request_parts&)> spoil;
  /// Whether it needs this framing.
  std::optional<framing> only = std::nullopt;
  std::optional<bool> only_absolute = std::nullopt;
};

const std::string invalid = "not a valid HTTP/1.1 request: ";

auto add(std::string fields) {
  return [fields](request_parts& of) { of.fields += fields; };
}

auto body(std::string text) {
  return [text](request_parts& of) { of.body = text; };
}

std::vector<reason> reasons_in_head() {
  auto target = [](std::string text) {
    return [text](request_parts& of) { of.target = text; };
  };
  auto host = [](std::string text) {
    return [text](request_parts& of) { of.host = text; };
  };
  auto no_line = "the request line is not METHOD TARGET HTTP/1.1";
  auto no_crlf = "a line ends with CR or LF alone, not with CRLF";
  return {
    {400, "an HTTP/1.1 request needs a Host field", host("")},
    {400, "more than one Host field", add("Host: other\r\n")},
    {400, "the Host field is not a host and port", host("Host: a b\r\n")},
    {400, "the Host field is not a host and port", host("Host: u@h\r\n")},
    {400, "header lines must not be folded", add("X: a\r\n b\r\n")},
    {400, "header lines must not be folded", add("X:\r\n\tb\r\n")},
    {400, "header lines must not be folded", host(" Host: shop\r\n")},
    {400, no_crlf, add("X: a\nContent-Length: 3\r\n")},
    {400, no_crlf, add("X: a\rb\r\n")},
    {400, no_crlf, [](request_parts& of) { of.version += "\nX: y"; }},
    {400, invalid + "bad value", add(std::string{"X: a\0b\r\n", 8})},
    {400, invalid + "bad field", add("X : a\r\n")},
    {400, invalid + "bad field", add(": a\r\n")},
    {400, invalid + "bad field", add("no colon\r\n")},
    {400, "the only transfer coding taken is chunked",
     add("Transfer-Encoding: gzip\r\n"), framing::none},
    {400, "the only transfer coding taken is chunked",
     add("Transfer-Encoding: gzip, chunked\r\n"), framing::none},
    {400, "Transfer-Encoding in an HTTP/1.0 request",
     [](request_parts& of) { of.version = "HTTP/1.0"; }, framing::chunked},
    {400, invalid + "bad Transfer-Encoding",
     add("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     framing::none},
    {400, invalid + "bad Content-Length",
     add("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), framing::none},
    {400, invalid + "bad Transfer-Encoding",
     add("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), framing::none},
    {400, invalid + "bad Content-Length", add("Content-Length: 3\r\n"),
     framing::content_length},
    {400, invalid + "bad Content-Length", add("Content-Length: +3\r\n"),
     framing::none},
    {417, "the only expectation met here is 100-continue",
     add("Expect: 200-ok\r\n")},
    {431, "the header is larger than 1024 bytes",
     add("X: " + std::string(max_head, 'x') + "\r\n")},
    {505, "only HTTP/1.0 and HTTP/1.1 are spoken here",
     [](request_parts& of) { of.version = "HTTP/2.0"; }},
    {400, no_line, [](request_parts& of) { of.target += " b"; }},
    {400, no_line, [](request_parts& of) { of.version = "HTTP/1.1 "; }},
    {400, no_line, [](request_parts& of) { of.version = "H"; }},
    {400, no_line, [](request_parts& of) { of.version = "FTTP/1.1"; }},
    {400, no_line, target("")},
    {400, "the request target is not a path", target("public")},
    {400, "the request target is not a path", target("https://shop/")},
    {400, "the request target's authority is not valid", target("http:///")},
    {400, "the request target's authority is not valid",
     target("http://u@shop/")},
    {400, invalid + "bad method",
     [](request_parts& of) { of.method = "\x16\x03"; }},
    {400, invalid + "bad method", [](request_parts& of) { of.method = ""; }},
    {405, "the proxy does not take this method",
     [](request_parts& of) { of.method = "TRACE"; }},
    {405, "the proxy does not take this method",
     [](request_parts& of) { of.method = "CONNECT"; }},
  };
}

std::vector<reason> reasons_in_body() {
  auto bad_chunk = invalid + "bad chunk";
  auto bad_extension = invalid + "bad chunk extension";
  std::vector<reason> result{
    {400, bad_chunk, body("0x3\r\nabc\r\n0\r\n\r\n")},
    {400, bad_chunk, body("-3\r\nabc\r\n0\r\n\r\n")},
    {400, bad_chunk, body("\r\nabc\r\n0\r\n\r\n")},
    {400, bad_chunk, body("3\nabc\n0\n\n")},
    {400, bad_chunk, body("3\r\nabcd\r\n0\r\n\r\n")},
    {400, bad_chunk, body("3\r\nabc\n0\r\n\r\n")},
    {400, bad_chunk, body("10000000000000003\r\nabc\r\n0\r\n\r\n")},
    {400, bad_extension, body("3;a\rb\r\nabc\r\n0\r\n\r\n")},
    {400, bad_extension, body("3;a=\"\n\"\r\nabc\r\n0\r\n\r\n")},
    {400, bad_extension, body("3;\r\nabc\r\n0\r\n\r\n")},
    {400, bad_extension,
     body("3;" + std::string(5000, 'x') + "\r\nabc\r\n0\r\n\r\n")},
    {400, "header lines must not be folded",
     body("0\r\nTrailer: a\r\n b\r\n\r\n")},
    {400, "a line ends with CR or LF alone, not with CRLF",
     body("0\r\nTrailer: a\n\r\n")},
    {400, invalid + "bad field", body("0\r\nTrailer : a\r\n\r\n")},
    {400, invalid + "bad Transfer-Encoding",
     body("0\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {431, "the header is larger than 1024 bytes",
     body("0\r\nTrailer: " + std::string(max_head, 'x') + "\r\n\r\n")},
  };
  for (auto& one : result)
    one.only = framing::chunked;
  return result;
}

const std::vector<std::string> methods = {
  "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"};

void check_all(const std::vector<reason>& reasons) {
  for (auto& why : reasons)
    for (auto& method : methods)
      for (auto absolute : {false, true})
        for (auto how :
             {framing::none, framing::content_length, framing::chunked}) {
          if (how != why.only.value_or(how)
              || absolute != why.only_absolute.value_or(absolute))
            continue;
          auto parts = parts_of(method, absolute, how);
          why.spoil(parts);
          CAF_CHECK_EQUAL(
            first_difference(parts.text(), shown({why.status, why.detail, {}})),
            "");
        }
}

} // namespace

CAF_TEST(what is not spoiled is taken) {
  for (auto& method : methods)
    for (auto absolute : {false, true})
      for (auto how :
           {framing::none, framing::content_length, framing::chunked})
        CAF_CHECK_EQUAL(
          first_difference(parts_of(method, absolute, how).text(), shown({})),
          "");
}

CAF_TEST(a request refused by its head produces nothing) {
  check_all(reasons_in_head());
}

CAF_TEST(a request refused by its body produces nothing more) {
  check_all(reasons_in_body());
}

CAF_TEST(what was produced before stays when a later request is refused) {
  std::string out = "before";
  std::string id;
  request_id_source ids{1};
  request_forwarder forwarder{{"", "1.2.3.4", max_head}, out, id, ids};
  boost::beast::error_code failure;
  forwarder.forward("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", failure);
  CAF_CHECK(failure == http::error::bad_value);
  CAF_CHECK_EQUAL(out, "before");
}

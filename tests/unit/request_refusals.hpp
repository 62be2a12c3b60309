#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Every reason to refuse a request, with every framing and form of it, and
// every two pieces it can arrive in. Shared by the tests of what reads
// requests.

namespace troupe::test {

constexpr std::size_t max_head = 1024;

/// What a body or a later request must not become.
constexpr std::string_view smuggled =
  "GET /admin/delete HTTP/1.1\r\nHost: internal\r\n\r\n";

/// What became of a request.
struct outcome {
  /// 0: it was not refused.
  unsigned status = 0;
  std::string detail;
  /// What there was of it once it was refused.
  std::string left;
};

/// Reads a text that arrives in pieces which end at these offsets.
using reader = std::function<outcome(std::string_view text,
                                     const std::vector<std::size_t>& cuts)>;

inline std::vector<std::size_t> each_byte(std::size_t size) {
  std::vector<std::size_t> result;
  for (std::size_t i = 1; i <= size; ++i)
    result.push_back(i);
  return result;
}

inline std::string shown(const outcome& what) {
  return std::to_string(what.status) + " " + what.detail + " ["
         + what.left.substr(0, 60) + "]";
}

/// The first way to cut `text` that gives something else than `wanted`, or
/// nothing.
inline std::string first_difference(const reader& read, std::string_view text,
                                    const std::string& wanted) {
  auto differs = [&](const std::vector<std::size_t>& cuts) {
    return shown(read(text, cuts)) != wanted;
  };
  auto explain = [&](std::string how, const std::vector<std::size_t>& cuts) {
    return how + ": " + shown(read(text, cuts)) + " for " + std::string{text};
  };
  if (differs({text.size()}))
    return explain("whole", {text.size()});
  if (differs(each_byte(text.size())))
    return explain("byte by byte", each_byte(text.size()));
  // Each of a very long text's would take seconds, and tell nothing more.
  std::size_t step = text.size() > 3000 ? 41 : 1;
  for (std::size_t cut = 1; cut < text.size(); cut += step)
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

inline request_parts parts_of(std::string method, bool absolute, framing how) {
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
  std::function<void(request_parts&)> spoil_it;
  /// Whether it needs this framing.
  std::optional<framing> only = std::nullopt;
};

inline const std::string invalid = "not a valid HTTP/1.1 request: ";

using spoil = std::function<void(request_parts&)>;

inline spoil add(std::string fields) {
  return [fields](request_parts& of) { of.fields += fields; };
}

inline spoil body(std::string text) {
  return [text](request_parts& of) { of.body = text; };
}

inline spoil target(std::string text) {
  return [text](request_parts& of) { of.target = text; };
}

inline spoil version(std::string text) {
  return [text](request_parts& of) { of.version = text; };
}

inline spoil host(std::string line) {
  return [line](request_parts& of) { of.host = line; };
}

inline spoil method(std::string text) {
  return [text](request_parts& of) { of.method = text; };
}

/// What no reader of requests takes.
inline std::vector<reason> reasons_in_lines() {
  std::string no_line = "the request line is not METHOD TARGET HTTP/1.1";
  std::string no_crlf = "a line ends with CR or LF alone, not with CRLF";
  std::string folded = "header lines must not be folded";
  return {
    {400, folded, add("X: a\r\n b\r\n")},
    {400, folded, add("X:\r\n\tb\r\n")},
    {400, folded, host(" Host: shop\r\n")},
    {400, no_crlf, add("X: a\nContent-Length: 3\r\n")},
    {400, no_crlf, add("X: a\rb\r\n")},
    {400, no_crlf, version("HTTP/1.1\nX: y")},
    {400, invalid + "bad value", add(std::string{"X: a\0b\r\n", 8})},
    {400, invalid + "bad field", add("X : a\r\n")},
    {400, invalid + "bad field", add(": a\r\n")},
    {400, invalid + "bad field", add("no colon\r\n")},
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
    {400, invalid + "bad Content-Length", add("Content-Length:\r\n"),
     framing::none},
    {400, invalid + "bad Content-Length", add("Content-Length: ,3\r\n"),
     framing::none},
    {431, "request line and header are larger than 1024 bytes",
     add("X: " + std::string(max_head, 'x') + "\r\n")},
    {505, "only HTTP/1.0 and HTTP/1.1 are spoken here", version("HTTP/2.0")},
    {400, no_line, [](request_parts& of) { of.target += " b"; }},
    {400, no_line, version("HTTP/1.1 ")},
    {400, no_line, version("H")},
    {400, no_line, version("FTTP/1.1")},
    {400, no_line, target("")},
    {400, invalid + "bad method", method("\x16\x03")},
    {400, invalid + "bad method", method("")},
  };
}

/// Targets and hosts that are none, whoever reads them.
inline std::vector<reason> reasons_in_target_and_host() {
  std::string fragment =
    "the request target has a fragment, which is not to be sent";
  std::string authority =
    "the request target's authority is not a host and port";
  std::string path = "the request target is not a path";
  std::vector<reason> result{
    {400, fragment, [](request_parts& of) { of.target += "#x"; }},
    {400, fragment, target("/#")},
    {400, fragment, target("http://shop#x/")},
    {400, path, target("public")},
    {400, path, target("https://shop/")},
    {400, authority, target("http:///")},
    {400, authority, target("http://u@shop/")},
    {400, authority, target("http://shop:evil?x")},
    {400, authority, target("http://[::1/x")},
  };
  for (auto wrong : {"a b", "u@h", "a:80:81", "[::1", "[x]", "shop:evil"})
    result.push_back({400, "the Host field is not a host and port",
                      host("Host: " + std::string{wrong} + "\r\n"),
                      framing::none});
  return result;
}

/// What is wrong with a chunked body, whoever reads it.
inline std::vector<reason> reasons_in_chunks() {
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
    {431, "request line and header are larger than 1024 bytes",
     body("0\r\nTrailer: " + std::string(max_head, 'x') + "\r\n\r\n")},
  };
  for (auto& one : result)
    one.only = framing::chunked;
  return result;
}

inline const std::vector<std::string> methods = {
  "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"};

/// Calls `visit` with each request there is by method, form and framing.
inline void
each_request(std::optional<framing> only,
             const std::function<void(const request_parts&)>& visit) {
  for (auto& method : methods)
    for (auto absolute : {false, true})
      for (auto how :
           {framing::none, framing::content_length, framing::chunked})
        if (how == only.value_or(how))
          visit(parts_of(method, absolute, how));
}

/// The first request that `read` does not refuse as it should, or nothing.
inline std::string wrongly_read(const reader& read,
                                const std::vector<reason>& reasons) {
  std::string result;
  for (auto& why : reasons)
    each_request(why.only, [&](request_parts parts) {
      why.spoil_it(parts);
      if (result.empty())
        result = first_difference(read, parts.text(),
                                  shown({why.status, why.detail, {}}));
    });
  return result;
}

/// The first request that `read` refuses, or nothing.
inline std::string wrongly_refused(const reader& read) {
  std::string result;
  each_request(std::nullopt, [&](const request_parts& parts) {
    if (result.empty())
      result = first_difference(read, parts.text(), shown({}));
  });
  return result;
}

} // namespace troupe::test

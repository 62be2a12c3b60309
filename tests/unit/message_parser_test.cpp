#define CAF_SUITE message_parser

#include "http/parsing/message_parser.hpp"

#include <boost/assert.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <caf/test/dsl.hpp>

#include "http/parsing/refusal.hpp"

using namespace troupe;

namespace {

namespace http = boost::beast::http;

/// Writes down which hooks were called, and runs `at` in each.
template <bool is_request>
struct recorder final : message_parser<is_request> {
  using typename message_parser<is_request>::error_code;
  using typename message_parser<is_request>::field;
  using typename message_parser<is_request>::verb;

  recorder() : message_parser<is_request>(1024) {}

  std::string calls;
  std::function<error_code(std::string_view hook)> at = [](std::string_view) {
    return error_code{};
  };

  error_code note(std::string hook) {
    calls += hook + " ";
    return at(hook);
  }

  error_code take_request_line(verb, std::string_view, std::string_view target,
                               int) override {
    return note(std::string{target});
  }

  error_code take_status_line(unsigned status, std::string_view reason,
                              int) override {
    return note(std::to_string(status) + "(" + std::string{reason} + ")");
  }

  error_code take_field(field, std::string_view name,
                        std::string_view) override {
    return note(std::string{name});
  }

  error_code take_header_end() override { return note("head"); }

  error_code take_body(std::string_view bytes) override {
    return note("body:" + std::string{bytes});
  }

  error_code take_chunk_header(std::uint64_t size) override {
    return note("chunk:" + std::to_string(size));
  }

  error_code take_chunk_body(std::uint64_t, std::string_view bytes) override {
    return note("data:" + std::string{bytes});
  }

  error_code take_trailer(std::string_view name, std::string_view) override {
    return note("trailer:" + std::string{name});
  }

  error_code take_end() override { return note("end"); }
};

constexpr std::string_view chunked_request =
  "POST /p HTTP/1.1\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
  "3\r\nabc\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\n\r\n";

constexpr std::string_view counted_request =
  "POST /p HTTP/1.1\r\nA: b\r\nContent-Length: 3\r\n\r\n"
  "abcGET / HTTP/1.1\r\n\r\n";

} // namespace

CAF_TEST(hooks are called in the order of the message) {
  recorder<true> chunked;
  boost::system::error_code failure;
  chunked.parse(chunked_request, failure);
  CAF_CHECK(!failure);
  CAF_CHECK_EQUAL(chunked.calls, "/p A Transfer-Encoding head chunk:3 data:abc "
                                 "trailer:T end ");
  recorder<true> counted;
  counted.parse(counted_request, failure);
  CAF_CHECK_EQUAL(counted.calls, "/p A Content-Length head body:abc end ");
}

CAF_TEST(no hook runs after one that refused) {
  for (auto text : {chunked_request, counted_request}) {
    recorder<true> willing;
    boost::system::error_code failure;
    willing.parse(text, failure);
    std::size_t refused = 0;
    // Each of the hooks refuses in turn; the last word is its own.
    for (auto end = willing.calls.find(' '); end != std::string::npos;
         end = willing.calls.find(' ', end + 1)) {
      auto until = willing.calls.substr(0, end + 1);
      recorder<true> parser;
      parser.at = [&](std::string_view) {
        return parser.calls == until ? http::error::bad_value
                                     : boost::system::error_code{};
      };
      parser.parse(text, failure);
      CAF_CHECK(failure == http::error::bad_value);
      parser.parse(text, failure);
      CAF_CHECK(failure == http::error::bad_value);
      CAF_CHECK_EQUAL(parser.calls, until);
      CAF_CHECK(!parser.is_done());
      CAF_CHECK(!parser.is_header_done());
      ++refused;
    }
    CAF_CHECK_GREATER(refused, 5u);
  }
}

CAF_TEST(a status needs no space behind it) {
  recorder<false> parser;
  boost::system::error_code failure;
  parser.parse("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", failure);
  CAF_CHECK(!failure);
  CAF_CHECK_EQUAL(parser.calls, "200() Content-Length head end ");
  for (auto line :
       {"HTTP/1.1 2000", "HTTP/1.1 20", "HTTP/1.1200", "HTTP/1.1 "}) {
    recorder<false> other;
    other.parse(std::string{line} + "\r\n\r\n", failure);
    CAF_CHECK(failure);
    CAF_CHECK_EQUAL(other.calls, "");
  }
}

CAF_TEST(an end of the connection is one of the message only where it may be) {
  auto end_after = [](std::string_view text) {
    recorder<false> parser;
    boost::system::error_code failure;
    parser.parse(text, failure);
    parser.put_eof(failure);
    return failure;
  };
  CAF_CHECK(!end_after("HTTP/1.1 200 OK\r\n\r\nabc"));
  CAF_CHECK(end_after("") == http::error::end_of_stream);
  CAF_CHECK(end_after("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc")
            == http::error::partial_message);
  CAF_CHECK(end_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "1\r\na\r\n")
            == http::error::partial_message);
  // A refusal is not made good by the end.
  CAF_CHECK(end_after("HTTP/1.1 2 OK\r\n\r\n") == http::error::bad_status);
}

CAF_TEST(a failed check within the library refuses the message) {
  recorder<true> parser;
  parser.at = [](std::string_view hook) -> boost::system::error_code {
    if (hook == "chunk:3")
      throw library_assertion{"a check"};
    return {};
  };
  boost::system::error_code failure;
  parser.parse(chunked_request, failure);
  CAF_CHECK(failure == boost::system::errc::state_not_recoverable);
  CAF_CHECK_EQUAL(explain_refusal(failure, 1024).status, 500u);
  parser.parse(chunked_request, failure);
  CAF_CHECK(failure == boost::system::errc::state_not_recoverable);
  CAF_CHECK_EQUAL(parser.calls, "/p A Transfer-Encoding head chunk:3 ");
}

#ifdef BOOST_ENABLE_ASSERT_HANDLER
CAF_TEST(a failed check within Beast is an exception) {
  http::request_parser<http::string_body> parser;
  boost::system::error_code failure;
  auto put = [&](std::string_view text) {
    return parser.put(boost::asio::buffer(text.data(), text.size()), failure);
  };
  put("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  put("0\r\n");
  // Beast 1.74 wants 5 bytes here.
  std::string said;
  try {
    put("0\r\n\r");
  } catch (const library_assertion& broken) {
    said = broken.what();
  }
  CAF_CHECK(said.find("n >= 5") != said.npos);
}
#endif

#define CAF_SUITE fuzz_corpus

#include <filesystem>
#include <fstream>
#include <iterator>

#include <caf/test/dsl.hpp>

#include "tests/fuzz/oracles.hpp"
#include "tests/fuzz/strict_reader.hpp"

// The seeds and findings of the fuzzers (tests/fuzz), judged each time.

using namespace troupe::fuzz;

namespace {

template <class Oracle>
void replay(const std::string& target, Oracle wrong_with) {
  std::size_t count = 0;
  for (auto& entry : std::filesystem::directory_iterator{
         TROUPE_SOURCE_DIR "/tests/fuzz/corpus/" + target}) {
    std::ifstream file{entry.path(), std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    // In these pieces and in each two there are.
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      auto cuts = cut == 0 ? bytes
                           : std::string{"1"} + bytes.substr(1, 1)
                               + std::string(1, '\0')
                               + static_cast<char>(cut % 256) + bytes.substr(2);
      if (auto wrong = wrong_with(cuts); !wrong.empty())
        CAF_ERROR(entry.path().filename() << ": " << wrong);
    }
    ++count;
  }
  CAF_CHECK_GREATER(count, 20u);
}

verdict request(std::string_view text) {
  message ignored;
  return strict_reader{text}.read_request(ignored);
}

verdict response(std::string_view text) {
  message ignored;
  return strict_reader{text}.read_response(ignored, false, true);
}

} // namespace

CAF_TEST(the corpus of the request forwarder) {
  replay("request_forwarder", wrong_with_forwarded_requests);
}

CAF_TEST(the corpus of the response forwarder) {
  replay("response_forwarder", wrong_with_forwarded_responses);
}

CAF_TEST(the corpus of the request parser) {
  replay("request_parser", wrong_with_parsed_requests);
}

CAF_TEST(the strict reader takes nothing that can be read in two ways) {
  for (
    auto bad :
    {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
     "GET / HTTP/1.1\r\n A: b\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
     "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
     "P / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     "P / HTTP/1.1\r\nContent-Length: +1\r\n\r\na",
     "P / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n",
     "P / HTTP/1.1\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
     "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
     "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n"})
    if (request(bad) != verdict::bad)
      CAF_ERROR("not bad: " << bad);
  for (auto partial :
       {"", "G", "GET / HTTP/1.1\r\n\r",
        "P / HTTP/1.1\r\nContent-Length: 2\r\n"
        "\r\na",
        "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r"})
    if (request(partial) != verdict::partial)
      CAF_ERROR("not partial: " << partial);
  CAF_CHECK(request("GET / HTTP/1.1\r\n\r\n") == verdict::whole);
  CAF_CHECK(response("HTTP/1.1 200 OK\r\n\r\nabc") == verdict::whole);
  CAF_CHECK(response("HTTP/1.1 20 OK\r\n\r\n") == verdict::bad);
  CAF_CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc")
            == verdict::partial);
}

CAF_TEST(the strict reader reads what is there) {
  message got;
  strict_reader reader{"POST /a HTTP/1.1\r\nA:  b \r\nTransfer-Encoding: "
                       "chunked\r\n\r\n2;x\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n"
                       "\r\nrest"};
  CAF_CHECK(reader.read_request(got) == verdict::whole);
  CAF_CHECK_EQUAL(got.start[0] + got.start[1] + got.start[2], "POST/aHTTP/1.1");
  CAF_CHECK_EQUAL(got.value("a").value_or("none"), "b");
  CAF_CHECK_EQUAL(got.count("t"), 0u);
  CAF_CHECK_EQUAL(got.body, "hello");
  CAF_CHECK_EQUAL(reader.rest(), "rest");
}

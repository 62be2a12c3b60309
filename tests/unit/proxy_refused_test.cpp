#define CAF_SUITE proxy_refused

#include <caf/test/dsl.hpp>

#include "proxy_fixture.hpp"
#include "request_refusals.hpp"

// What is refused, over sockets: one answer, and nothing for the server.

using namespace troupe;
using namespace troupe::test;

namespace {

/// Keeps what it gets and answers nothing.
struct silent_server {
  std::mutex mutex;
  std::string got;

  scripted_server server{[this](peer& client, int) {
    for (;;) {
      auto byte = client.read(1);
      if (byte.empty())
        return;
      std::lock_guard guard{mutex};
      got += byte;
    }
  }};

  std::string taken() {
    std::lock_guard guard{mutex};
    return got;
  }
};

/// Whether it is one answer of the proxy's own and no more.
bool is_one_answer(std::string_view bytes, bool is_head) {
  auto end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with("HTTP/1.1 ") || end == bytes.npos)
    return false;
  auto field = bytes.find("Content-Length: ");
  auto length = std::stoul(std::string{bytes.substr(field + 16)});
  return field < end && contains(bytes.substr(0, end), "Connection: close")
         && bytes.size() == end + 4 + (is_head ? 0 : length);
}

struct refused_fixture : proxy_fixture {
  silent_server backend;

  refused_fixture() {
    config.max_header_bytes = max_head;
    start({backend.server.port()});
  }

  /// What is wrong with the answer, or nothing.
  std::string wrong(const request_parts& parts, const reason& why,
                    std::size_t cut) {
    auto text = parts.text();
    auto client = connect();
    client.send(std::string_view{text}.substr(0, cut));
    client.send(std::string_view{text}.substr(cut));
    auto answer = client.read_all();
    auto is_head = parts.method == "HEAD";
    if (status_of(answer) == static_cast<int>(why.status)
        && (is_head || contains(answer, why.detail))
        && is_one_answer(answer, is_head))
      return {};
    return answer + "\nfor " + text;
  }

  void check(const std::vector<reason>& reasons) {
    for (auto& why : reasons)
      for (auto how :
           {framing::none, framing::content_length, framing::chunked})
        for (auto method : {"POST", "HEAD"}) {
          if (how != why.only.value_or(how))
            continue;
          auto parts = parts_of(method, false, how);
          why.spoil_it(parts);
          auto size = parts.text().size();
          for (auto cut : {size, size / 2})
            CAF_CHECK_EQUAL(wrong(parts, why, cut), "");
        }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(refused_tests, refused_fixture)

CAF_TEST(a refused head gets one answer and the server nothing) {
  check(reasons_in_lines());
  check(reasons_in_target_and_host());
  CAF_CHECK_EQUAL(backend.server.accepted(), 0);
}

CAF_TEST(a refused body gets one answer and the server no more of it) {
  check(reasons_in_chunks());
  CAF_CHECK(!contains(backend.taken(), "admin"));
  // The end of a chunked body; a request id may end with 0, too.
  CAF_CHECK(!contains(backend.taken(), "\r\n0\r\n\r\n"));
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(head_size_tests, proxy_fixture)

namespace {

scripted_server::script answering_with_head_of(std::size_t size) {
  return [size](peer& client, int) {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ";
    head += std::string(size - 4 - head.size(), 'a') + "\r\n\r\n";
    while (!client.read_head().empty())
      client.send(head);
  };
}

} // namespace

CAF_TEST(an answers head has the limit of a requests) {
  config.max_header_bytes = 100'000;
  scripted_server fits{answering_with_head_of(100'000)};
  start({fits.port()});
  CAF_CHECK_EQUAL(status_of(get()), 200);
  std::string request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nA: ";
  request += std::string(100'000 - 4 - request.size(), 'a') + "\r\n\r\n";
  CAF_CHECK_EQUAL(status_of(ask(request)), 200);
  CAF_CHECK_EQUAL(status_of(ask("GET /x" + request.substr(5))), 431);
}

CAF_TEST(an answer with a larger head is 502) {
  config.max_header_bytes = 100'000;
  scripted_server large{answering_with_head_of(100'001)};
  start({large.port()});
  CAF_CHECK_EQUAL(status_of(get()), 502);
}

CAF_TEST(a trusted proxy says who asks) {
  scripted_server backend{[](peer& client, int) {
    auto head = client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: "
                + std::to_string(head.size()) + "\r\n\r\n" + head);
  }};
  auto request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                 "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n";
  config.trusted_proxies = {*parse_ip_range("127.0.0.0/8")};
  start({backend.port()});
  auto seen = body_of(ask(request));
  CAF_CHECK(contains(seen, "X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n"));
  CAF_CHECK(contains(seen, "X-Forwarded-Proto: https\r\n"));
  CAF_CHECK(!contains(seen, "X-Forwarded-Proto: http\r\n"));
}

CAF_TEST(nobody is trusted unasked) {
  scripted_server backend{[](peer& client, int) {
    auto head = client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: "
                + std::to_string(head.size()) + "\r\n\r\n" + head);
  }};
  start({backend.port()});
  auto seen = body_of(
    ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n"));
  CAF_CHECK(contains(seen, "X-Forwarded-For: 127.0.0.1\r\n"));
  CAF_CHECK(contains(seen, "X-Forwarded-Proto: http\r\n"));
}

CAF_TEST_FIXTURE_SCOPE_END()

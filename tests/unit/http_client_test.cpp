#define CAF_SUITE http_client

#include "http/client/http_probe.hpp"

#include <future>

#include <caf/test/dsl.hpp>

#include "http/client/known_address.hpp"
#include "http/client/local_failure.hpp"
#include "no_more_descriptors.hpp"
#include "proxy_peer.hpp"
#include "tests/support/free_port.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  caf::actor_system_config config;
  caf::actor_system system{config};
  io_thread io{system, 0};
  health_check how;

  fixture() { io.start(); }

  probe_result probe(std::string host, std::uint16_t port,
                     std::chrono::milliseconds timeout = 5s) {
    server target;
    target.id = "server-1";
    target.host = std::move(host);
    target.port = port;
    std::promise<probe_result> promise;
    make_http_probe(io)(target, how, timeout, [&](probe_result result) {
      promise.set_value(std::move(result));
    });
    return promise.get_future().get();
  }

  probe_result probe_status(std::string status) {
    scripted_server backend{[&](peer& client, int) {
      client.read_head();
      client.send("HTTP/1.1 " + status + " X\r\n\r\n");
    }};
    return probe("127.0.0.1", backend.port());
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(http_client_tests, fixture)

CAF_TEST(it asks for the path and passes on 2xx and 3xx) {
  std::string asked;
  {
    scripted_server backend{[&](peer& client, int) {
      asked = client.read_head();
      client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }};
    auto result = probe("127.0.0.1", backend.port());
    CAF_CHECK(result.passed);
    CAF_CHECK_EQUAL(result.server_id, "server-1");
  }
  CAF_CHECK(asked.starts_with("GET /health HTTP/1.1\r\nHost: 127.0.0.1:"));
  CAF_CHECK(probe_status("302").passed);
}

CAF_TEST(it says why it did not pass) {
  CAF_CHECK_EQUAL(probe_status("500").reason, "status 500");
  CAF_CHECK_EQUAL(probe_status("404").reason, "status 404");
  CAF_CHECK_EQUAL(probe("127.0.0.1", free_port()).reason, "connection refused");
  scripted_server rude{[](peer& client, int) { client.read_head(); }};
  CAF_CHECK_EQUAL(probe("127.0.0.1", rude.port()).reason,
                  "connection closed without an answer");
  scripted_server odd{[](peer& client, int) {
    client.read_head();
    client.send("SSH-2.0-x\r\n\r\n");
  }};
  auto reason = probe("127.0.0.1", odd.port()).reason;
  CAF_CHECK(reason.starts_with("not a valid HTTP answer: "));
}

CAF_TEST(an interim answer is not the status) {
  scripted_server early{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.");
    client.send("1 204\r\n\r\n");
    client.read_all();
  }};
  CAF_CHECK(probe("127.0.0.1", early.port()).passed);
}

CAF_TEST(an answer that is not whole or too large is none) {
  scripted_server torn{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\n");
  }};
  CAF_CHECK_EQUAL(probe("127.0.0.1", torn.port()).reason,
                  "not a valid HTTP answer: partial message");
  scripted_server endless{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nA: " + std::string(17 << 10, 'a'));
    client.read_all();
  }};
  CAF_CHECK_EQUAL(probe("127.0.0.1", endless.port()).reason,
                  "not a valid HTTP answer: header limit exceeded");
}

CAF_TEST(behind interim answers comes the status) {
  for (auto [status, passes] : {std::pair{"200 OK", true}, {"503 X", false}}) {
    scripted_server backend{[answer = std::string{status}](peer& client, int) {
      client.read_head();
      client.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                  "Link: </x>\r\n\r\n");
      client.send("HTTP/1.1 " + answer + "\r\nContent-Length: 0\r\n\r\n");
    }};
    CAF_CHECK_EQUAL(probe("127.0.0.1", backend.port()).passed, passes);
  }
  // Nor is it an answer.
  scripted_server half{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 103 Early Hints\r\n\r\n");
  }};
  auto result = probe("127.0.0.1", half.port());
  CAF_CHECK(!result.passed);
  CAF_CHECK_EQUAL(result.reason, "connection closed without an answer");
}

CAF_TEST(host path and port of the check may be others) {
  std::string asked;
  {
    scripted_server backend{[&](peer& client, int) {
      asked = client.read_head();
      client.send("HTTP/1.1 204 No Content\r\n\r\n");
    }};
    how.path = "/alive?deep=1";
    how.host = "shop.example";
    how.port = backend.port();
    CAF_CHECK(probe("127.0.0.1", free_port()).passed);
  }
  CAF_CHECK(
    asked.starts_with("GET /alive?deep=1 HTTP/1.1\r\nHost: shop.example\r\n"));
}

CAF_TEST(a check of the connection alone asks nothing) {
  how.tcp_only = true;
  std::promise<std::string> asked;
  scripted_server backend{
    [&](peer& client, int) { asked.set_value(client.read_all()); }};
  auto result = probe("127.0.0.1", backend.port());
  CAF_CHECK(result.passed);
  CAF_CHECK_EQUAL(asked.get_future().get(), "");
  auto refused = probe("127.0.0.1", free_port());
  CAF_CHECK(!refused.passed);
  CAF_CHECK_EQUAL(refused.reason, "connection refused");
}

CAF_TEST(a server that does not answer times out) {
  scripted_server slow{[](peer& client, int) { client.read_all(); }};
  auto result = probe("127.0.0.1", slow.port(), 50ms);
  CAF_CHECK(!result.passed);
  CAF_CHECK_EQUAL(result.reason, "timed out");
}

CAF_TEST(a node without descriptors learns nothing about a server) {
  scripted_server backend{scripted_server::answering("ok")};
  // Asio's loop opens descriptors of its own when it is first used.
  CAF_CHECK(probe("127.0.0.1", backend.port()).passed);
  no_more_descriptors none;
  auto result = probe("127.0.0.1", backend.port());
  CAF_CHECK(!result.passed);
  CAF_CHECK(!result.conclusive);
  CAF_CHECK_EQUAL(result.reason, "too many open files");
}

CAF_TEST(a refusal says more than an address that this node lacks) {
  auto because = [](auto code) { return boost::system::error_code{code}; };
  namespace error = boost::asio::error;
  auto lacking = make_error_code(boost::system::errc::address_not_available);
  connect_failures both;
  both.add(because(error::connection_refused));
  both.add(lacking);
  CAF_CHECK(both.verdict() == error::connection_refused);
  connect_failures other_way;
  other_way.add(lacking);
  CAF_CHECK(is_local_failure(other_way.verdict()));
  other_way.add(because(error::connection_refused));
  CAF_CHECK(other_way.verdict() == error::connection_refused);
}

CAF_TEST(names are resolved) {
  scripted_server backend{scripted_server::answering("ok")};
  // Not an address literal, but the system knows it without DNS or a file.
  CAF_CHECK(probe("127.1", backend.port()).passed);
  CAF_CHECK(probe("localhost", backend.port()).passed);
}

CAF_TEST(addresses and localhost need no resolver) {
  auto known = [](const std::string& host) {
    std::string result;
    for (auto& address : known_addresses({host, 80}))
      result += address.address().to_string() + " ";
    return result;
  };
  CAF_CHECK_EQUAL(known("10.0.0.1"), "10.0.0.1 ");
  CAF_CHECK_EQUAL(known("::2"), "::2 ");
  for (auto name : {"localhost", "LocalHost", "localhost.", "api.localhost"})
    CAF_CHECK_EQUAL(known(name), "127.0.0.1 ::1 ");
  for (auto name : {"", "localhost.example.com", "notlocalhost", "127.1"})
    CAF_CHECK_EQUAL(known(name), "");
  CAF_CHECK_EQUAL(known_addresses({"localhost", 81}).front().port(), 81);
}

CAF_TEST_FIXTURE_SCOPE_END()

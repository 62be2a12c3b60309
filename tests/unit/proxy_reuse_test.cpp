#define CAF_SUITE proxy_reuse

#include <caf/test/dsl.hpp>

#include "http/proxy/fields.hpp"
#include "proxy_fixture.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// A server that knows its connections: it answers with the connection's index
/// and, once one asked for `/login`, with the user's name. Its challenge and
/// its users' fields are those of NTLM.
struct fixture : proxy_fixture {
  std::string challenge = "WWW-Authenticate: NTLM\r\n";

  scripted_server::script knowing_users() {
    return [this](peer& client, int index) {
      std::string user = "nobody";
      for (;;) {
        auto request = client.read_head();
        if (request.empty())
          return;
        std::string field;
        std::string status = "200 OK";
        if (contains(request, " /challenge ")) {
          field = challenge;
          status = "401 Unauthorized";
        }
        if (contains(request, "Authorization: "))
          user = "alice";
        auto body = user + "@" + std::to_string(index);
        client.send("HTTP/1.1 " + status + "\r\n" + field + "Content-Length: "
                    + std::to_string(body.size()) + "\r\n\r\n" + body);
      }
    };
  }

  static std::string ask(peer& client, std::string_view path,
                         std::string_view fields = {},
                         std::string_view method = "GET") {
    client.send(std::string{method} + " " + std::string{path}
                + " HTTP/1.1\r\nHost: h\r\n" + std::string{fields} + "\r\n");
    auto head = client.read_head();
    auto at = head.find("Content-Length: ");
    return at == head.npos ? head
                           : client.read(std::stoul(head.substr(at + 16)));
  }

  /// A request that must not be repeated.
  static std::string post(peer& client) { return ask(client, "/", {}, "POST"); }
};

} // namespace

CAF_TEST(the schemes that authenticate a connection are known) {
  using proxying::authenticates_connection;
  for (auto value :
       {"NTLM", "ntlm TlRMTVNTUAAB", "Negotiate", "Negotiate YII=", "Nego2",
        "Basic realm=\"a, b\", NTLM", "Negotiate, Basic realm=x"})
    CAF_CHECK(authenticates_connection(value));
  for (auto value : {"", "Basic bmVnb3RpYXRl", "Bearer NTLM", "NTLMv3 x",
                     "Digest realm=\"NTLM\"", ",,"})
    CAF_CHECK(!authenticates_connection(value));
}

CAF_TEST_FIXTURE_SCOPE(reuse_tests, fixture)

CAF_TEST(a connection that knows its user serves no stranger) {
  scripted_server backend{knowing_users()};
  start({backend.port()});
  for (auto scheme : {"NTLM", "Negotiate"}) {
    auto alice = connect();
    auto login = "Authorization: " + std::string{scheme} + " abc\r\n";
    auto logged_in = ask(alice, "/", login);
    CAF_CHECK(contains(logged_in, "alice@"));
    for (int i = 0; i < 5; ++i) {
      auto stranger = connect();
      CAF_CHECK(contains(ask(stranger, "/"), "nobody@"));
      // Later requests of a client, too.
      CAF_CHECK(contains(ask(stranger, "/"), "nobody@"));
    }
    // She is still known, on the same connection.
    CAF_CHECK_EQUAL(ask(alice, "/"), logged_in);
  }
}

CAF_TEST(a challenge binds the connection before anybody logs in) {
  scripted_server backend{knowing_users()};
  start({backend.port()});
  for (std::string scheme :
       {"NTLM", "Negotiate", "Basic realm=\"x\", Negotiate"}) {
    challenge = "WWW-Authenticate: " + scheme + "\r\n";
    auto alice = connect();
    auto challenged = ask(alice, "/challenge");
    auto stranger = connect();
    CAF_CHECK_NOT_EQUAL(ask(stranger, "/"), challenged);
    // The handshake goes on where it began.
    CAF_CHECK_EQUAL(ask(alice, "/"), challenged);
  }
  challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
  auto first = connect();
  auto challenged = ask(first, "/challenge");
  auto second = connect();
  CAF_CHECK_EQUAL(ask(second, "/"), challenged);
}

CAF_TEST(a bound connection ends with its client) {
  std::promise<bool> ended;
  scripted_server backend{[&](peer& client, int index) {
    if (index > 0)
      return;
    client.read_head();
    client.send("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\n"
                "Content-Length: 0\r\n\r\n");
    ended.set_value(client.at_end());
  }};
  config.keep_alive_timeout = 5s;
  start({backend.port()});
  {
    auto alice = connect();
    alice.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CAF_CHECK_EQUAL(status_of(alice.read_head()), 401);
    auto end = ended.get_future();
    CAF_CHECK(end.wait_for(50ms) == std::future_status::timeout);
    alice.close();
    CAF_CHECK(end.get());
  }
}

CAF_TEST(whoever is known at a server goes on there) {
  scripted_server first{knowing_users()};
  scripted_server second{knowing_users()};
  start({first.port(), second.port()});
  auto alice = connect();
  CAF_CHECK(contains(ask(alice, "/", "Authorization: NTLM x\r\n"), "alice@"));
  for (int i = 0; i < 6; ++i)
    CAF_CHECK(contains(ask(alice, "/"), "alice@"));
  CAF_CHECK_EQUAL(first.accepted() + second.accepted(), 1);
}

CAF_TEST(safe shares connections but for a first request that is risky) {
  scripted_server backend{knowing_users()};
  start({backend.port()});
  auto first = connect();
  CAF_CHECK_EQUAL(ask(first, "/"), "nobody@0");
  // The proxy could repeat it.
  auto second = connect();
  CAF_CHECK_EQUAL(ask(second, "/"), "nobody@0");
  auto third = connect();
  CAF_CHECK_EQUAL(post(third), "nobody@1");
  // The one used last comes first.
  CAF_CHECK_EQUAL(post(second), "nobody@1");
  CAF_CHECK_EQUAL(backend.accepted(), 2);
}

CAF_TEST(never gives each client a connection of its own) {
  config.reuse = connection_reuse::never;
  scripted_server backend{knowing_users()};
  start({backend.port()});
  auto first = connect();
  auto second = connect();
  for (int i = 0; i < 3; ++i) {
    CAF_CHECK_EQUAL(ask(first, "/"), "nobody@0");
    CAF_CHECK_EQUAL(post(second), "nobody@1");
  }
  first.close();
  auto third = connect();
  CAF_CHECK_EQUAL(ask(third, "/"), "nobody@2");
}

CAF_TEST(aggressive trusts connections that served twice) {
  config.reuse = connection_reuse::aggressive;
  scripted_server backend{knowing_users()};
  start({backend.port()});
  auto first = connect();
  CAF_CHECK_EQUAL(ask(first, "/"), "nobody@0");
  auto second = connect();
  CAF_CHECK_EQUAL(post(second), "nobody@1");
  // Both are proven then.
  CAF_CHECK_EQUAL(ask(second, "/"), "nobody@1");
  auto third = connect();
  CAF_CHECK_EQUAL(post(third), "nobody@1");
  CAF_CHECK_EQUAL(backend.accepted(), 2);
}

CAF_TEST(always shares every connection) {
  config.reuse = connection_reuse::always;
  scripted_server backend{knowing_users()};
  start({backend.port()});
  for (int i = 0; i < 3; ++i) {
    auto client = connect();
    CAF_CHECK_EQUAL(post(client), "nobody@0");
  }
}

CAF_TEST(a client that ends its side ends its request) {
  std::promise<bool> ended;
  std::promise<void> asked;
  scripted_server backend{[&](peer& client, int) {
    client.read_head();
    asked.set_value();
    ended.set_value(client.at_end());
  }};
  config.response_header_timeout = 4s;
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  asked.get_future().wait();
  auto before = std::chrono::steady_clock::now();
  client.end();
  CAF_CHECK(ended.get_future().get());
  // Not only when the answer is overdue.
  CAF_CHECK(std::chrono::steady_clock::now() - before < 4s);
}

CAF_TEST(a client may end its side and read on when that is allowed) {
  config.abort_on_close = false;
  std::promise<void> closed;
  auto when_closed = closed.get_future().share();
  scripted_server backend{[&](peer& client, int) {
    client.read_head();
    when_closed.wait();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    client.read_all();
  }};
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.end();
  CAF_CHECK(client.silent_for(50ms));
  closed.set_value();
  CAF_CHECK_EQUAL(body_of(client.read_all()), "ok");
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE proxy_exchange

#include <nlohmann/json.hpp>

#include <caf/test/dsl.hpp>

#include "proxy_fixture.hpp"
#include "tests/support/free_port.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// A backend that answers each request with its header as it came.
void echo_head(peer& client, int) {
  for (auto head = client.read_head(); !head.empty(); head = client.read_head())
    client.send("HTTP/1.1 200 OK\r\nContent-Length: "
                + std::to_string(head.size()) + "\r\n\r\n" + head);
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(exchange_tests, proxy_fixture)

CAF_TEST(a request reaches the server with the forwarding fields) {
  scripted_server backend{echo_head};
  start({backend.port()});
  auto answer = get("/path?q=1");
  CAF_CHECK_EQUAL(status_of(answer), 200);
  auto seen = body_of(answer);
  CAF_CHECK(seen.starts_with("GET /path?q=1 HTTP/1.1\r\nHost: h\r\n"));
  CAF_CHECK(contains(seen, "X-Forwarded-For: 127.0.0.1\r\n"));
  CAF_CHECK(contains(seen, "X-Forwarded-Proto: http\r\n"));
  CAF_CHECK(contains(seen, "X-Forwarded-Host: h\r\n"));
  CAF_CHECK(!contains(seen, "Connection"));
  CAF_CHECK(contains(answer, "Connection: close\r\n"));
}

CAF_TEST(a request without Host names the server that gets it) {
  scripted_server backend{[](peer& client, int) {
    auto seen = client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: "
                + std::to_string(seen.size()) + "\r\n\r\n" + seen);
  }};
  start({free_port(), backend.port()});
  // Each of them is tried first once.
  for (int i = 0; i < 2; ++i) {
    auto answer = ask("GET /a HTTP/1.0\r\n\r\n");
    CAF_CHECK(body_of(answer).starts_with("GET /a HTTP/1.1\r\nHost: 127.0.0.1:"
                                          + std::to_string(backend.port())
                                          + "\r\n"));
    CAF_CHECK(!contains(answer, "X-Forwarded-Host"));
  }
}

CAF_TEST(requests take turns over servers and reuse connections) {
  scripted_server a{scripted_server::answering("a")};
  scripted_server b{scripted_server::answering("b")};
  start({a.port(), b.port()});
  auto client = connect();
  std::string bodies;
  for (int i = 0; i < 6; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_head();
    bodies += client.read(1);
  }
  CAF_CHECK_EQUAL(bodies, "ababab");
  CAF_CHECK_EQUAL(a.accepted(), 1);
  CAF_CHECK_EQUAL(b.accepted(), 1);
}

CAF_TEST(pipelined requests are answered in order) {
  scripted_server backend{echo_head};
  start({backend.port()});
  auto client = connect();
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    client.read_head();
    CAF_CHECK(
      client.read_head().starts_with("GET /" + std::to_string(i) + " "));
  }
}

CAF_TEST(bodies stream both ways before they are whole) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    // The first part is answered before the second was sent.
    auto first = client.read(5);
    client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
                + first + "\r\n");
    auto second = client.read(5);
    client.send("5\r\n" + second + "\r\n0\r\n\r\n");
    client.read_all();
  }};
  start({backend.port()});
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
  CAF_CHECK(contains(client.read_head(), "Transfer-Encoding: chunked"));
  CAF_CHECK_EQUAL(client.read(10), "5\r\nhello\r\n");
  client.send("world");
  CAF_CHECK_EQUAL(client.read(15), "5\r\nworld\r\n0\r\n\r\n");
}

CAF_TEST(large bodies arrive whole both ways) {
  constexpr std::size_t size = 8 << 20;
  std::string body(size, 'x');
  for (std::size_t i = 0; i < size; i += 997)
    body[i] = static_cast<char>('a' + i % 26);
  scripted_server backend{[&](peer& client, int) {
    client.read_head();
    auto sent = client.read(size);
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size)
                + "\r\n\r\n");
    client.send(sent);
    client.read_all();
  }};
  start({backend.port()});
  auto client = connect();
  std::thread sender{[&] {
    client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: "
                + std::to_string(size) + "\r\nConnection: close\r\n\r\n");
    client.send(body);
  }};
  sender.join();
  client.read_head();
  CAF_CHECK(client.read_all() == body);
}

CAF_TEST(a reader that is slow slows the server down) {
  std::atomic<std::size_t> sent{0};
  scripted_server backend{[&](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    std::string piece(1 << 16, 'x');
    while (client.send(piece))
      sent += piece.size();
  }};
  config.body_idle_timeout = 5s;
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.read_head();
  // Kernel buffers on both sides take some; the proxy itself takes no more.
  auto before = sent.load();
  for (int still = 0; still < 3;) {
    std::this_thread::sleep_for(50ms);
    auto now = sent.load();
    still = now == before ? still + 1 : 0;
    before = now;
  }
  CAF_CHECK_LESS(before, std::size_t{64} << 20);
}

CAF_TEST(an answer that ends by closing becomes chunked) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\n\r\nhello");
  }};
  start({backend.port()});
  auto client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_head();
    CAF_CHECK_EQUAL(client.read_until("0\r\n\r\n"), "5\r\nhello\r\n0\r\n\r\n");
  }
}

CAF_TEST(HEAD and 304 end with their header) {
  scripted_server backend{[](peer& client, int) {
    for (auto head = client.read_head(); !head.empty();
         head = client.read_head())
      client.send(head.starts_with("HEAD")
                    ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                    : "HTTP/1.1 304 Not Modified\r\nETag: e\r\n\r\n");
  }};
  start({backend.port()});
  auto client = connect();
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
              "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
              "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK(contains(client.read_head(), "Content-Length: 5"));
  CAF_CHECK_EQUAL(status_of(client.read_head()), 304);
  CAF_CHECK_EQUAL(status_of(client.read_head()), 200);
  CAF_CHECK_EQUAL(backend.accepted(), 1);
}

CAF_TEST(an old client gets a closed connection) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  }};
  start({backend.port()});
  auto answer = ask("GET / HTTP/1.0\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(answer), 200);
  CAF_CHECK_EQUAL(body_of(answer), "hi");
}

CAF_TEST(a client that expects 100 gets it before it sends) {
  scripted_server backend{[](peer& client, int) {
    auto head = client.read_head();
    client.send("HTTP/1.1 100 Continue\r\n\r\n");
    auto body = client.read(2);
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body);
    client.read_all();
  }};
  start({backend.port()});
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
              "Expect: 100-continue\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(client.read_head()), 100);
  client.send("ok");
  CAF_CHECK_EQUAL(status_of(client.read_head()), 200);
  CAF_CHECK_EQUAL(client.read(2), "ok");
}

CAF_TEST(a refusal before the body is whole reaches the client) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n"
                "Connection: close\r\n\r\nno");
  }};
  start({backend.port()});
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc");
  auto answer = client.read_all();
  CAF_CHECK_EQUAL(status_of(answer), 413);
  CAF_CHECK_EQUAL(body_of(answer), "no");
  CAF_CHECK(contains(answer, "Connection: close"));
}

CAF_TEST(an upgrade becomes a tunnel) {
  scripted_server backend{[](peer& client, int) {
    auto head = client.read_head();
    if (!contains(head, "Connection: Upgrade\r\nUpgrade: websocket\r\n"))
      return;
    // The first bytes of the new protocol come with the header.
    client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhi:");
    for (auto line = client.read_until("\n"); !line.empty();
         line = client.read_until("\n"))
      client.send("<" + line);
    client.send("bye");
  }};
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\n\r\n");
  auto head = client.read_head();
  CAF_CHECK_EQUAL(status_of(head), 101);
  CAF_CHECK(contains(head, "Upgrade: websocket\r\n"));
  client.send("one\n");
  CAF_CHECK_EQUAL(client.read(8), "hi:<one\n");
  client.send("two\n");
  CAF_CHECK_EQUAL(client.read(5), "<two\n");
  client.end();
  CAF_CHECK_EQUAL(client.read_all(), "bye");
}

CAF_TEST(a switch of protocols that nobody asked for is an error) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    client.read_all();
  }};
  start({backend.port()});
  CAF_CHECK_EQUAL(status_of(get()), 502);
}

CAF_TEST(a client that only ends its side gets its answer when it may) {
  config.abort_on_close = false;
  scripted_server backend{scripted_server::answering("late")};
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.end();
  CAF_CHECK_EQUAL(body_of(client.read_all()), "late");
}

CAF_TEST(traffic is counted and reported) {
  scripted_server backend{[](peer& client, int) {
    for (int i = 0; !client.read_head().empty(); ++i)
      client.send("HTTP/1.1 " + std::to_string(i == 1 ? 500 : 200)
                  + " X\r\nContent-Length: 0\r\n\r\n");
  }};
  std::promise<traffic_counters> counted;
  auto sink = system.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&, done = false](const traffic_report& report) mutable {
      auto counters = report.by_server.at("server-1");
      if (!done && counters.requests == 3 && counters.active == 0) {
        done = true;
        counted.set_value(counters);
      }
    }};
  });
  names->put("balancer", caf::actor_cast<caf::strong_actor_ptr>(sink));
  start({backend.port()});
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_head();
  }
  auto result = counted.get_future().get();
  CAF_CHECK_EQUAL(result.failures, 1u);
  CAF_CHECK_EQUAL(result.connections, 1u);
  CAF_CHECK_GREATER(result.latency_us, 0u);
  names->erase("balancer");
  caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
}

CAF_TEST(a drain ends tunnels and answers what was sent before it) {
  scripted_server backend{[](peer& client, int) {
    if (!contains(client.read_head(), "Upgrade")) {
      client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      return;
    }
    client.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                "Upgrade: x\r\n\r\n");
    client.read_all();
  }};
  start({backend.port()});
  auto tunnel = connect();
  tunnel.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
              "Upgrade: x\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(tunnel.read_head()), 101);
  std::promise<void> halted;
  std::promise<void> go;
  std::promise<void> drained;
  io->post([&] {
    halted.set_value();
    go.get_future().wait();
    front->drain(5s, [&] { drained.set_value(); });
  });
  halted.get_future().wait();
  auto waiting = connect();
  waiting.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  go.set_value();
  CAF_CHECK(tunnel.at_end());
  CAF_CHECK_EQUAL(body_of(waiting.read_all()), "ok");
  CAF_CHECK(drained.get_future().wait_for(3s) == std::future_status::ready);
}

CAF_TEST(a drain answers whom Asio accepted ahead of its callback) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  start({backend.port()});
  std::vector<peer> clients;
  std::promise<void> drained;
  // One client's callback accepts the next one, and before that one's comes,
  // the port is closed.
  io->post([&] {
    for (int i = 0; i < 2; ++i)
      clients.push_back(connect());
    io->post([&] {
      io->post([&] { front->drain(5s, [&] { drained.set_value(); }); });
    });
  });
  on_thread([] {});
  for (auto& client : clients) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CAF_CHECK_EQUAL(body_of(client.read_all()), "ok");
  }
  CAF_CHECK(drained.get_future().wait_for(3s) == std::future_status::ready);
}

CAF_TEST(a drain answers the next request of an idle connection) {
  scripted_server backend{[](peer& client, int) {
    while (!client.read_head().empty())
      client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  config.idle_grace = 60s;
  start({backend.port()});
  auto asked_before = connect();
  auto silent = connect();
  asked_before.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(asked_before.read_head()), 200);
  CAF_CHECK_EQUAL(asked_before.read(2), "ok");
  std::promise<void> drained;
  on_thread([&] { front->drain(5s, [&] { drained.set_value(); }); });
  for (auto* client : {&asked_before, &silent}) {
    client->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    auto answer = client->read_all();
    CAF_CHECK_EQUAL(body_of(answer), "ok");
    CAF_CHECK(contains(answer, "Connection: close"));
  }
  CAF_CHECK(drained.get_future().wait_for(3s) == std::future_status::ready);
}

CAF_TEST(a drain lets requests finish and closes the rest) {
  config.idle_grace = 20ms;
  std::promise<void> asked;
  std::promise<void> go;
  scripted_server backend{[&](peer& client, int) {
    client.read_head();
    asked.set_value();
    go.get_future().wait();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    client.read_all();
  }};
  start({backend.port()});
  auto idle = connect();
  auto busy = connect();
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  asked.get_future().wait();
  std::promise<void> drained;
  on_thread([&] { front->drain(5s, [&] { drained.set_value(); }); });
  CAF_CHECK(idle.at_end());
  CAF_CHECK_EQUAL(connect().read_all(), "");
  go.set_value();
  auto answer = busy.read_all();
  CAF_CHECK_EQUAL(body_of(answer), "ok");
  CAF_CHECK(contains(answer, "Connection: close"));
  drained.get_future().wait();
}

CAF_TEST_FIXTURE_SCOPE_END()

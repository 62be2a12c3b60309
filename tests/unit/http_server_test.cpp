#define CAF_SUITE http_server

#include "http/server/server_group.hpp"

#include <future>
#include <random>

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include "http/gateway/problem.hpp"
#include "tests/support/open_port.hpp"
#include "tests/unit/http_raw_client.hpp"
#include "tests/unit/small_buffers.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// One io thread, a server on a free port, and a handler by path.
struct fixture {
  caf::actor_system_config system_config;
  caf::actor_system system{system_config};
  io_thread io{system, 0};
  server_config config;
  std::promise<http_exchange_ptr> kept;
  std::vector<std::thread> helpers;
  std::unique_ptr<http_server_group> group;
  std::uint16_t port = 0;

  fixture() { io.start(); }

  ~fixture() {
    group.reset();
    for (auto& helper : helpers)
      helper.join();
    io.stop();
  }

  void start() {
    group = std::make_unique<http_server_group>(
      std::vector{&io}, config, [this](io_thread&) {
        return server_handlers{
          [this](const http_exchange_ptr& exchange) { handle(exchange); },
          render_failure};
      });
    auto open = open_port(1);
    CAF_REQUIRE(!group->start(open));
    port = open.local().port;
  }

  void handle(const http_exchange_ptr& exchange) {
    auto& request = exchange->request();
    auto path = request.path();
    if (path == "/elsewhere") {
      helpers.emplace_back([exchange] {
        exchange->respond(200, json_type, "from another thread");
      });
    } else if (path == "/keep") {
      kept.set_value(exchange);
    } else if (path.starts_with("/letter-")) {
      exchange->respond(200, "text/plain", std::string(60'000, path.back()));
    } else if (path == "/large") {
      exchange->respond(200, json_type, std::string(8 << 20, 'x'));
    } else if (path == "/split") {
      exchange->respond({200, json_type, "x", {{"A", "b\r\nInjected: 1"}}});
    } else if (path != "/drop") {
      exchange->respond(200, "text/plain",
                        std::string{request.target()} + "|" + request.body);
    }
  }
};

std::string get(std::string_view target, std::string_view headers = {}) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: x\r\n"
         + std::string{headers} + "\r\n";
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(http_server_tests, fixture)

CAF_TEST(a connection serves requests one after another) {
  start();
  raw_client client{port};
  for (int i = 0; i < 3; ++i) {
    auto answer = client.ask(get("/a?q=1"));
    CAF_CHECK_EQUAL(answer.status, 200);
    CAF_CHECK_EQUAL(answer.body, "/a?q=1|");
    CAF_CHECK(answer.has("\r\nDate: "));
    CAF_CHECK(answer.has("\r\nX-Content-Type-Options: nosniff\r\n"));
    CAF_CHECK(answer.has("\r\nX-Frame-Options: SAMEORIGIN\r\n"));
    CAF_CHECK(!answer.has("Connection:"));
  }
  CAF_CHECK_EQUAL(group->open_connections(), 1u);
  CAF_CHECK_EQUAL(group->totals().accepted, 1u);
  CAF_CHECK_EQUAL(group->totals().answers[2], 3u);
}

CAF_TEST(a request id is taken or made) {
  start();
  raw_client client{port};
  CAF_CHECK(client.ask(get("/", "x-request-id: abc-1\r\n"))
              .has("\r\nX-Request-Id: abc-1\r\n"));
  auto made = client.ask(get("/", "X-Request-Id: has space\r\n"));
  CAF_CHECK(!made.has("has space"));
  CAF_CHECK(made.has("\r\nX-Request-Id: "));
  auto longer = std::string(129, 'a');
  CAF_CHECK(
    !client.ask(get("/", "X-Request-Id: " + longer + "\r\n")).has(longer));
}

CAF_TEST(pipelined requests are answered in order) {
  start();
  raw_client client{port};
  std::string all;
  for (int i = 0; i < 200; ++i)
    all += get(i % 50 == 7 ? "/elsewhere" : "/" + std::to_string(i));
  CAF_CHECK(client.send(all));
  for (int i = 0; i < 200; ++i) {
    auto answer = client.read();
    auto expected =
      i % 50 == 7 ? "from another thread" : "/" + std::to_string(i) + "|";
    CAF_CHECK_EQUAL(answer.body, expected);
  }
}

CAF_TEST(a request may come byte by byte) {
  start();
  raw_client client{port};
  std::string text =
    "\r\nPOST /b HTTP/1.1\r\nHost: x\r\n"
    "Content-Length: 3\r\n\r\nabc"
    "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
    "chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nT: 1\r\n\r\n";
  for (auto c : text)
    CAF_REQUIRE(client.send({&c, 1}));
  CAF_CHECK_EQUAL(client.read().body, "/b|abc");
  CAF_CHECK_EQUAL(client.read().body, "/c|def");
}

CAF_TEST(HEAD gets the head alone) {
  start();
  raw_client client{port};
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  auto answer = client.read(true);
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK(answer.has("Content-Length: 3\r\n"));
  CAF_CHECK_EQUAL(client.ask(get("/next")).body, "/next|");
}

CAF_TEST(a waiting client is told to continue) {
  start();
  raw_client client{port};
  client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
              "Expect: 100-continue\r\n\r\n");
  CAF_CHECK_EQUAL(client.read(true).status, 100);
  CAF_CHECK_EQUAL(client.ask("ok").body, "/b|ok");
  auto other = client.ask("POST /b HTTP/1.1\r\nHost: x\r\n"
                          "Content-Length: 2\r\nExpect: magic\r\n\r\n");
  CAF_CHECK_EQUAL(other.status, 417);
}

CAF_TEST(an announced body over the limit is refused before it is sent) {
  start();
  raw_client client{port};
  auto answer = client.ask("POST /b HTTP/1.1\r\nHost: x\r\n"
                           "Expect: 100-continue\r\n"
                           "Content-Length: 10000000\r\n\r\n");
  CAF_CHECK_EQUAL(answer.status, 413);
  CAF_CHECK_NOT_EQUAL(answer.body.find("1048576"), std::string::npos);
  CAF_CHECK(answer.has("Connection: close"));
  CAF_CHECK(client.at_end());
}

CAF_TEST(a body over the limit is refused while it comes) {
  config.max_body_bytes = 1000;
  config.body_limit_of = [](http_verb, std::string_view path) {
    return path.starts_with("/wide/") ? 5000u : 1000u;
  };
  start();
  auto body = std::string(4000, 'x');
  auto post = [&](std::string_view path, std::string_view framing) {
    raw_client client{port};
    return client.ask("POST " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n"
                      + std::string{framing} + body + "\r\n0\r\n\r\n");
  };
  constexpr auto chunked = "Transfer-Encoding: chunked\r\n\r\nfa0\r\n";
  constexpr auto counted = "Content-Length: 4000\r\n\r\n";
  CAF_CHECK_EQUAL(post("/b", counted).status, 413);
  CAF_CHECK_EQUAL(post("/b", chunked).status, 413);
  CAF_CHECK_EQUAL(post("/wide/b", counted).status, 200);
  CAF_CHECK_EQUAL(post("/wide/b", chunked).status, 200);
}

CAF_TEST(a refused client that sends on can still read why) {
  start();
  raw_client client{port};
  client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
  for (int i = 0; i < 40; ++i)
    client.send(std::string(100'000, 'x'));
  CAF_CHECK_EQUAL(client.read().status, 413);
}

CAF_TEST(a head over the limit is refused) {
  config.max_header_bytes = 2048;
  start();
  raw_client wide{port};
  CAF_CHECK_EQUAL(
    wide.ask(get("/", "A: " + std::string(3000, 'a') + "\r\n")).status, 431);
  CAF_CHECK(wide.at_end());
  raw_client target{port};
  auto too_long = target.ask(get("/" + std::string(3000, 'a')));
  CAF_CHECK_EQUAL(too_long.status, 414);
  CAF_CHECK_NOT_EQUAL(too_long.body.find(R"("field":"header")"),
                      std::string::npos);
  // Line by line, so that no single read is large.
  raw_client slow{port};
  slow.send("GET / HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 300; ++i)
    slow.send("Header-" + std::to_string(i) + ": value\r\n");
  CAF_CHECK_EQUAL(slow.read().status, 431);
}

CAF_TEST(bodies are bounded all together) {
  config.max_body_bytes_in_flight = 5000;
  start();
  auto post = [](std::string_view path, std::size_t bytes) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n"
           + "Content-Length: " + std::to_string(bytes) + "\r\n\r\n"
           + std::string(bytes, 'b');
  };
  raw_client holding{port};
  holding.send(post("/keep", 3000));
  auto exchange = kept.get_future().get();
  raw_client other{port};
  auto refused = other.ask(post("/a", 3000));
  CAF_CHECK_EQUAL(refused.status, 503);
  CAF_CHECK(refused.has("Retry-After: 1\r\n"));
  CAF_CHECK_NOT_EQUAL(refused.body.find("5000 bytes"), std::string::npos);
  raw_client small{port};
  CAF_CHECK_EQUAL(small.ask(post("/a", 1000)).status, 200);
  exchange->respond(200, json_type, "done");
  exchange.reset();
  CAF_CHECK_EQUAL(holding.read().status, 200);
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(holding.ask(post("/a", 3000)).status, 200);
}

CAF_TEST(HTTP 1_0 closes unless it is asked not to) {
  start();
  raw_client closing{port};
  auto answer = closing.ask("GET /a HTTP/1.0\r\n\r\n");
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK(answer.has("Connection: close\r\n"));
  CAF_CHECK(closing.at_end());
  raw_client staying{port};
  for (int i = 0; i < 2; ++i)
    CAF_CHECK(staying.ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                .has("Connection: keep-alive\r\n"));
  raw_client asking{port};
  CAF_CHECK(asking.ask(get("/a", "Connection: close\r\n"))
              .has("Connection: close\r\n"));
  CAF_CHECK(asking.at_end());
}

CAF_TEST(what is no request gets a problem) {
  start();
  auto status = [&](std::string_view text) {
    raw_client client{port};
    auto answer = client.ask(text);
    CAF_CHECK(answer.has("application/json"));
    CAF_CHECK(answer.has("Connection: close"));
    CAF_CHECK_NOT_EQUAL(answer.body.find("\"success\":false"),
                        std::string::npos);
    return answer.status;
  };
  CAF_CHECK_EQUAL(status("garbage\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status("\x16\x03\x01 tls hello\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status("GET / HTTP/2.0\r\n\r\n"), 505);
  CAF_CHECK_EQUAL(status("GET / HTTP/1.1\nHost: a\n\n"), 400);
  CAF_CHECK_EQUAL(status("GET / HTTP/1.1\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status("GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  CAF_CHECK_EQUAL(status("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
  auto framed = [&](std::string_view framing) {
    return status("POST / HTTP/1.1\r\nHost: x\r\n" + std::string{framing}
                  + "\r\n\r\n0\r\n\r\n");
  };
  CAF_CHECK_EQUAL(framed("Content-Length: x"), 400);
  CAF_CHECK_EQUAL(framed("Content-Length: -1"), 400);
  CAF_CHECK_EQUAL(framed("Content-Length: 1\r\nContent-Length: 2"), 400);
  CAF_CHECK_EQUAL(framed("Content-Length: 5\r\nTransfer-Encoding: chunked"),
                  400);
  CAF_CHECK_EQUAL(framed("Transfer-Encoding: chunked\r\nContent-Length: 5"),
                  400);
  CAF_CHECK_EQUAL(framed("Transfer-Encoding: gzip"), 400);
  CAF_CHECK_EQUAL(framed("Transfer-Encoding: gzip, chunked"), 400);
  CAF_CHECK_EQUAL(framed("Transfer-Encoding: chunked\r\n\r\nzz"), 400);
}

CAF_TEST(an absolute target is understood) {
  start();
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("http://host:1/p?q")).status, 200);
}

CAF_TEST(a header value can not start another header) {
  start();
  raw_client client{port};
  CAF_CHECK(!client.ask(get("/split")).has("\r\nInjected"));
}

CAF_TEST(an answer may come from another thread) {
  start();
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("/elsewhere")).body, "from another thread");
}

CAF_TEST(a dropped request is answered) {
  start();
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("/drop")).status, 503);
  CAF_CHECK_EQUAL(client.ask(get("/a")).status, 200);
}

CAF_TEST(a large answer reaches a slow reader) {
  start();
  raw_client client{port, 4096};
  client.send(get("/large") + get("/after"));
  CAF_CHECK_EQUAL(client.read().body.size(), std::size_t{8 << 20});
  CAF_CHECK_EQUAL(client.read().body, "/after|");
}

CAF_TEST(an answer that comes while another is on its way leaves that alone) {
  start();
  test::shrink_send_buffers(port);
  raw_client slow{port, 4096};
  slow.send(get("/letter-a") + get("/keep"));
  kept.get_future().get()->respond(200, "text/plain", std::string(70'000, 'b'));
  // Takes the memory that moving the waiting answer would have freed.
  raw_client others[4] = {raw_client{port, 4096}, raw_client{port, 4096},
                          raw_client{port, 4096}, raw_client{port, 4096}};
  for (auto& other : others)
    other.send(get("/letter-c"));
  std::this_thread::sleep_for(50ms);
  CAF_CHECK(slow.read().body == std::string(60'000, 'a'));
  CAF_CHECK(slow.read().body == std::string(70'000, 'b'));
}

CAF_TEST(a client is not late while it can not read the last answer) {
  config.header_timeout = 60ms;
  config.sweep_interval = 10ms;
  start();
  test::shrink_send_buffers(port);
  raw_client slow{port, 4096};
  slow.send(get("/letter-a") + "GET / HTTP/1.1\r\nHo");
  std::this_thread::sleep_for(200ms);
  CAF_CHECK_EQUAL(group->totals().timeouts, 0u);
  CAF_CHECK_EQUAL(slow.read().body.size(), 60'000u);
  CAF_CHECK_EQUAL(slow.read().status, 408);
  CAF_CHECK(slow.at_end());
  CAF_CHECK_EQUAL(group->totals().timeouts, 1u);
}

CAF_TEST(a client that never asks is told and closed) {
  config.header_timeout = 60ms;
  config.sweep_interval = 10ms;
  start();
  raw_client silent{port};
  raw_client slow{port};
  slow.send("GET / HTTP/1.1\r\nHo");
  for (auto* client : {&silent, &slow}) {
    CAF_CHECK_EQUAL(client->read().status, 408);
    CAF_CHECK(client->at_end());
  }
  CAF_CHECK_EQUAL(group->totals().timeouts, 2u);
}

CAF_TEST(a body that never ends is not waited for) {
  config.body_timeout = 60ms;
  config.sweep_interval = 10ms;
  start();
  raw_client client{port};
  auto answer = client.ask("POST / HTTP/1.1\r\nHost: x\r\n"
                           "Content-Length: 9\r\n\r\nabc");
  CAF_CHECK_EQUAL(answer.status, 408);
}

CAF_TEST(an idle connection is closed without a word) {
  config.idle_timeout = 60ms;
  config.sweep_interval = 10ms;
  start();
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("/a")).status, 200);
  CAF_CHECK(client.at_end());
}

CAF_TEST(a handler that takes too long is answered for) {
  config.request_deadline = 60ms;
  config.sweep_interval = 10ms;
  start();
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("/keep")).status, 504);
  auto late = kept.get_future().get();
  late->respond(200, json_type, "too late");
  CAF_CHECK_EQUAL(client.ask(get("/next")).body, "/next|");
}

CAF_TEST(connections over the limit are refused) {
  config.max_connections = 2;
  start();
  raw_client first{port};
  raw_client second{port};
  CAF_CHECK_EQUAL(first.ask(get("/a")).status, 200);
  CAF_CHECK_EQUAL(second.ask(get("/a")).status, 200);
  raw_client third{port};
  auto answer = third.read();
  CAF_CHECK_EQUAL(answer.status, 503);
  CAF_CHECK_NOT_EQUAL(answer.body.find("limit of 2"), std::string::npos);
  CAF_CHECK(third.at_end());
  CAF_CHECK_EQUAL(group->totals().refused, 1u);
  CAF_CHECK_EQUAL(first.ask(get("/a")).status, 200);
}

CAF_TEST(draining answers what is under way and closes the rest) {
  config.idle_grace = 20ms;
  start();
  raw_client idle{port};
  CAF_CHECK_EQUAL(idle.ask(get("/a")).status, 200);
  raw_client busy{port};
  busy.send(get("/keep"));
  auto exchange = kept.get_future().get();
  group->stop_accepting();
  CAF_CHECK(idle.at_end());
  raw_client late{port};
  CAF_CHECK(!late.connected() || late.at_end());
  auto drained =
    std::async(std::launch::async, [&] { return group->drain(5s); });
  exchange->respond(200, json_type, "last");
  auto answer = busy.read();
  CAF_CHECK_EQUAL(answer.body, "last");
  CAF_CHECK(answer.has("Connection: close"));
  CAF_CHECK(busy.at_end());
  CAF_CHECK(drained.get());
  CAF_CHECK_EQUAL(group->open_connections(), 0u);
}

CAF_TEST(draining answers the next request of an idle connection) {
  config.idle_grace = 60s;
  start();
  raw_client asked_before{port};
  CAF_CHECK_EQUAL(asked_before.ask(get("/a")).status, 200);
  raw_client silent{port};
  raw_client other{port};
  // Accepted after them.
  CAF_CHECK_EQUAL(other.ask(get("/a")).status, 200);
  group->stop_accepting();
  for (auto* client : {&other, &silent, &asked_before}) {
    auto answer = client->ask(get("/b"));
    CAF_CHECK_EQUAL(answer.status, 200);
    CAF_CHECK(answer.has("Connection: close"));
    CAF_CHECK(client->at_end());
  }
  CAF_CHECK(group->drain(5s));
}

CAF_TEST(draining answers who waits to be accepted) {
  start();
  std::promise<void> go;
  std::promise<void> halted;
  io.post([&] {
    halted.set_value();
    go.get_future().wait();
  });
  halted.get_future().wait();
  raw_client waiting{port};
  waiting.send(get("/a"));
  group->stop_accepting();
  go.set_value();
  CAF_CHECK_EQUAL(waiting.read().body, "/a|");
  CAF_CHECK(waiting.at_end());
}

CAF_TEST(draining does not wait for ever) {
  start();
  raw_client busy{port};
  busy.send(get("/keep"));
  auto exchange = kept.get_future().get();
  CAF_CHECK(!group->drain(50ms));
  CAF_CHECK(busy.at_end());
  exchange->respond(200, json_type, "nobody listens");
}

CAF_TEST(an answer may outlive the server) {
  start();
  raw_client client{port};
  client.send(get("/keep"));
  auto exchange = kept.get_future().get();
  group.reset();
  io.stop();
  exchange->respond(200, json_type, "nobody listens");
}

CAF_TEST(random bytes never bring it down) {
  start();
  std::minstd_rand random{7};
  std::string base = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (int i = 0; i < 300; ++i) {
    auto text = base;
    for (int j = 0; j < 1 + i % 5; ++j)
      text[random() % text.size()] = static_cast<char>(random());
    raw_client client{port};
    client.send(text);
  }
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("/alive")).status, 200);
}

CAF_TEST_FIXTURE_SCOPE_END()

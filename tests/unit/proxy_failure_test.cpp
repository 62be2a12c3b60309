#define CAF_SUITE proxy_failure

#include <nlohmann/json.hpp>

#include <caf/test/dsl.hpp>

#include "http/proxy/ejection.hpp"
#include "http/server/accept_backoff.hpp"
#include "messages/error.hpp"
#include "no_more_descriptors.hpp"
#include "proxy_fixture.hpp"
#include "tests/support/free_port.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

nlohmann::json error_of(std::string_view answer) {
  return nlohmann::json::parse(body_of(answer)).at("error");
}

} // namespace

CAF_TEST(an ejection doubles up to ten seconds) {
  proxying::ejection one;
  auto now = proxying::ejection::clock::time_point{} + 1h;
  CAF_CHECK(!one.active(now));
  for (auto span : {1s, 2s, 4s, 8s, 10s, 10s}) {
    one.failed(now);
    // A request that failed at the same time changes nothing.
    one.failed(now);
    CAF_CHECK(one.active(now + span - 1ms));
    now += span;
    CAF_CHECK(!one.active(now));
  }
  one.succeeded();
  one.failed(now);
  CAF_CHECK(!one.active(now + 1s));
}

CAF_TEST(failed answers in a row eject a server until it answers) {
  proxying::passive_health one{3};
  auto now = proxying::ejection::clock::time_point{} + 1h;
  one.answer_failed(now);
  one.answer_failed(now);
  one.answered();
  one.answer_failed(now);
  one.answer_failed(now);
  CAF_CHECK(!one.ejected(now));
  one.answer_failed(now);
  CAF_CHECK(one.ejected(now));
  // It takes connections, and hangs all the same.
  one.connected();
  CAF_CHECK(one.ejected(now + 999ms));
  now += 1s;
  CAF_CHECK(!one.ejected(now));
  // It has not answered since: the next failure ejects it for longer.
  one.answer_failed(now);
  CAF_CHECK(one.ejected(now + 1999ms));
  one.answered();
  CAF_CHECK(!one.ejected(now));
}

CAF_TEST(a threshold of zero leaves answers out) {
  proxying::passive_health one{0};
  auto now = proxying::ejection::clock::time_point{} + 1h;
  for (int i = 0; i < 100; ++i)
    one.answer_failed(now);
  CAF_CHECK(!one.ejected(now));
  one.connect_failed(now);
  CAF_CHECK(one.ejected(now));
  one.connected();
  CAF_CHECK(!one.ejected(now));
}

CAF_TEST_FIXTURE_SCOPE(failure_tests, proxy_fixture)

CAF_TEST(a server that only fails gets no more requests than it takes to see) {
  // One answers 500, the other resets, the third hangs: each counts.
  auto fail = [](std::string how) -> scripted_server::script {
    return [how](peer& client, int) {
      while (!client.read_head().empty()) {
        if (how == "reset")
          return client.reset();
        if (how == "hang")
          continue;
        client.send("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
      }
    };
  };
  for (auto how : {"500", "reset", "hang"}) {
    scripted_server good{scripted_server::answering("good")};
    scripted_server bad{fail(how)};
    proxy_fixture each;
    each.config.answer_failures = 2;
    each.config.response_header_timeout = 100ms;
    each.start({good.port(), bad.port()});
    int failed = 0;
    for (int i = 0; i < 12; ++i)
      failed += status_of(each.get()) == 200 ? 0 : 1;
    CAF_CHECK_EQUAL(failed, 2);
  }
}

CAF_TEST(a loop through the cluster ends with 508) {
  // Its server is the proxy itself, in a client's disguise.
  scripted_server mirror{[this](peer& client, int) {
    for (;;) {
      auto request = client.read_head();
      if (request.empty())
        return;
      auto next = connect();
      next.send(request);
      auto head = next.read_head();
      auto at = head.find("Content-Length: ");
      client.send(head + next.read(std::stoul(head.substr(at + 16))));
    }
  }};
  start({mirror.port()});
  auto looping = std::make_shared<routing_table>(*routing->get());
  looping->loop_token = "troupe-1234";
  routing->set(std::shared_ptr<const routing_table>{looping});
  for (auto fields : {"", "Connection: CDN-Loop\r\n", "CDN-Loop: other\r\n"}) {
    auto before = mirror.accepted();
    auto answer = ask("GET / HTTP/1.1\r\nHost: h\r\n" + std::string{fields}
                      + "Connection: close\r\n\r\n");
    CAF_CHECK_EQUAL(status_of(answer), 508);
    CAF_CHECK_LESS(mirror.accepted() - before, 5);
  }
  auto again = ask("GET / HTTP/1.1\r\nHost: h\r\nCDN-Loop: a, troupe-1234; x=1"
                   "\r\nCDN-Loop: troupe-1234, troupe-1234\r\n"
                   "CDN-Loop: troupe-1234\r\nConnection: close\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(again), 508);
  CAF_CHECK(contains(again, "4 times"));
}

CAF_TEST(a refused connect goes to the next server) {
  scripted_server alive{scripted_server::answering("alive")};
  start({free_port(), alive.port()});
  for (int i = 0; i < 4; ++i)
    CAF_CHECK_EQUAL(body_of(get()), "alive");
  auto posted = ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                    "Connection: close\r\n\r\nhi");
  CAF_CHECK_EQUAL(status_of(posted), 200);
}

CAF_TEST(no server that can be reached is 502 and says why) {
  start({free_port(), free_port()});
  auto answer = get("/x");
  CAF_CHECK_EQUAL(status_of(answer), 502);
  auto error = error_of(answer);
  CAF_CHECK_EQUAL(error.at("status").get<int>(), 502);
  CAF_CHECK_EQUAL(error.at("code").get<std::string>(), "unavailable");
  CAF_CHECK_EQUAL(error.at("instance").get<std::string>(), "/x");
  // Where the servers are, and what is wrong with them, is for the log.
  CAF_CHECK_EQUAL(error.at("detail").get<std::string>(),
                  "no server of service 'demo' could be reached, 2 tried");
  CAF_CHECK(!error.at("requestId").get<std::string>().empty());
}

CAF_TEST(a connection stays usable after an error) {
  start({free_port()});
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    auto head = client.read_head();
    CAF_CHECK_EQUAL(status_of(head), 502);
    client.read_until("\"}}\n");
  }
}

CAF_TEST(answers of our own are dated and have an id) {
  start({free_port()});
  auto refused = ask("GET / HTTP/1.1\r\nBad\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(refused), 400);
  CAF_CHECK(contains(refused, "\r\nDate: "));
  CAF_CHECK(contains(refused, " GMT\r\n"));
  CAF_CHECK(contains(refused, "\r\nX-Request-Id: "));
  CAF_CHECK_EQUAL(error_of(refused).at("requestId").get<std::string>().size(),
                  32u);
  auto old = ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CAF_CHECK(contains(old, "\r\nConnection: keep-alive\r\n"));
}

CAF_TEST(a line feed alone ends no line) {
  start({free_port()});
  CAF_CHECK_EQUAL(status_of(ask("GET / HTTP/1.1\nHost: h\n\n")), 400);
  CAF_CHECK_EQUAL(status_of(ask("GET / HTTP/2.0\r\nHost: h\r\n\r\n")), 505);
}

CAF_TEST(an empty pool is 503 with its reason) {
  scripted_server backend{scripted_server::answering("x")};
  start({backend.port()});
  state.servers.at("server-1").maintenance = true;
  publish();
  auto answer = get();
  CAF_CHECK_EQUAL(status_of(answer), 503);
  CAF_CHECK_EQUAL(error_of(answer).at("detail").get<std::string>(),
                  "all in maintenance");
  CAF_CHECK(answer.find("\r\nRetry-After: 1\r\n") != std::string::npos);
}

CAF_TEST(a method that is not proxied is 405 with those that are) {
  start({free_port()});
  auto answer = ask("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(answer), 405);
  CAF_CHECK(answer.find("\r\nAllow: GET, HEAD, ") != std::string::npos);
}

CAF_TEST(no route is 404) {
  start({free_port()});
  routing->set(routing_table{});
  CAF_CHECK_EQUAL(status_of(get()), 404);
}

CAF_TEST(a pooled connection that the server closed is not used) {
  // Each connection serves one request and closes without saying so.
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  start({backend.port()});
  auto client = connect();
  for (int i = 0; i < 20; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CAF_CHECK_EQUAL(status_of(client.read_head()), 200);
    client.read(2);
  }
}

CAF_TEST(a GET is repeated when a pooled connection broke under it) {
  // The server closes when the second request arrives: the proxy had no way to
  // know.
  std::atomic<int> requests{0};
  scripted_server backend{[&](peer& client, int index) {
    client.read_head();
    ++requests;
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
                + std::to_string(index));
    if (!client.read_head().empty())
      ++requests;
    client.reset();
  }};
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.read_head();
  CAF_CHECK_EQUAL(client.read(1), "0");
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(client.read_head()), 200);
  CAF_CHECK_EQUAL(client.read(1), "1");
  CAF_CHECK_EQUAL(requests.load(), 3);
}

CAF_TEST(a POST is never repeated) {
  std::atomic<int> posts{0};
  scripted_server backend{[&](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (client.read_head().starts_with("POST"))
      ++posts;
  }};
  start({backend.port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.read_head();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
  CAF_CHECK_EQUAL(status_of(client.read_head()), 502);
  CAF_CHECK_EQUAL(posts.load(), 1);
}

CAF_TEST(a server that closes without an answer is 502) {
  scripted_server backend{[](peer& client, int) { client.read_head(); }};
  start({backend.port()});
  auto answer = get();
  CAF_CHECK_EQUAL(status_of(answer), 502);
  CAF_CHECK(contains(error_of(answer).at("detail").get<std::string>(),
                     "closed the connection"));
  CAF_CHECK_EQUAL(backend.accepted(), 1);
}

CAF_TEST(a server that talks nonsense is 502) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("SSH-2.0-OpenSSH\r\n\r\n");
    client.read_all();
  }};
  start({backend.port()});
  CAF_CHECK_EQUAL(status_of(get()), 502);
}

CAF_TEST(an answer that ends early is cut and not completed) {
  scripted_server backend{[](peer& client, int) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n");
  }};
  start({backend.port()});
  auto answer = get();
  CAF_CHECK_EQUAL(body_of(answer), "5\r\nhello\r\n");
}

CAF_TEST(bytes after an answer do not become the next one) {
  scripted_server backend{[](peer& client, int index) {
    client.read_head();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
                + std::to_string(index) + "HTTP/1.1 200 OK\r\n"
                + "Content-Length: 4\r\n\r\nevil");
    client.read_all();
  }};
  start({backend.port()});
  auto client = connect();
  for (auto expected : {"0", "1"}) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_head();
    CAF_CHECK_EQUAL(client.read(1), expected);
  }
}

CAF_TEST(a server that does not answer is 504) {
  scripted_server backend{[](peer& client, int) { client.read_all(); }};
  start({backend.port()});
  auto answer = get();
  CAF_CHECK_EQUAL(status_of(answer), 504);
  CAF_CHECK_EQUAL(error_of(answer).at("code").get<std::string>(), "timed_out");
}

CAF_TEST(a header that does not come is 408) {
  start({free_port()});
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHo");
  CAF_CHECK_EQUAL(status_of(client.read_all()), 408);
}

CAF_TEST(a body that does not come is 408) {
  scripted_server backend{[](peer& client, int) { client.read_all(); }};
  start({backend.port()});
  CAF_CHECK_EQUAL(status_of(ask("POST / HTTP/1.1\r\nHost: h\r\n"
                                "Content-Length: 10\r\n\r\nabc")),
                  408);
}

CAF_TEST(an idle client is closed without a word) {
  start({free_port()});
  CAF_CHECK(connect().at_end());
}

CAF_TEST(a bad request is 400 and ends the connection) {
  scripted_server backend{scripted_server::answering("x")};
  start({backend.port()});
  auto answer =
    ask("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        "Content-Length: 3\r\n\r\n0\r\n\r\n"
        "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(answer), 400);
  CAF_CHECK(contains(answer, "Connection: close"));
  CAF_CHECK(!contains(body_of(answer), "HTTP/1.1 4"));
  CAF_CHECK_EQUAL(backend.accepted(), 0);
}

CAF_TEST(a bad chunk in the middle of a body is 400) {
  scripted_server backend{[](peer& client, int) { client.read_all(); }};
  start({backend.port()});
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3\r\nabc\r\n");
  CAF_CHECK(client.silent_for(50ms));
  client.send("zz\r\n");
  CAF_CHECK_EQUAL(status_of(client.read_all()), 400);
}

CAF_TEST(a client that resets ends its request at the server) {
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
  client.reset();
  CAF_CHECK(ended.get_future().get());
}

CAF_TEST(one connection too many is 503) {
  config.max_connections = 1;
  scripted_server backend{scripted_server::answering("x")};
  start({backend.port()});
  auto first = connect();
  first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(first.read_head()), 200);
  CAF_CHECK_EQUAL(status_of(connect().read_all()), 503);
  first.close();
  for (int tries = 0; tries < 100 && config.open_connections->load() > 0;
       ++tries)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(status_of(get()), 200);
}

CAF_TEST(a lack of descriptors is not the servers failure) {
  scripted_server backend{scripted_server::answering("x")};
  start({backend.port()});
  auto client = connect();
  CAF_CHECK(client.silent_for(20ms)); // It is accepted by then.
  {
    no_more_descriptors none;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CAF_CHECK_EQUAL(status_of(client.read_head()), 503);
    CAF_CHECK(
      contains(client.read_until("\"}}\n"), "could be reached, 1 tried"));
  }
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_CHECK_EQUAL(status_of(client.read_head()), 200);
}

CAF_TEST(accepting again waits longer each time and says so seldom) {
  accept_backoff backoff;
  auto now = accept_backoff::clock::time_point{} + 1h;
  auto why = make_error_code(boost::system::errc::too_many_files_open);
  CAF_CHECK_EQUAL(backoff.failed("test", why, now).count(), 50);
  CAF_CHECK_EQUAL(backoff.failed("test", why, now).count(), 100);
  for (int i = 0; i < 98; ++i)
    now += backoff.failed("test", why, now);
  CAF_CHECK_EQUAL(backoff.failed("test", why, now).count(), 1000);
  CAF_CHECK_LESS(backoff.lines(), 11u);
  backoff.succeeded();
  CAF_CHECK_EQUAL(backoff.failed("test", why, now).count(), 50);
}

CAF_TEST_FIXTURE_SCOPE_END()

#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include "http/gateway/problem.hpp"
#include "http/server/server_group.hpp"
#include "tests/support/open_port.hpp"
#include "tests/unit/http_raw_client.hpp"

namespace troupe::test {

/// One io thread and a server on a free port. `/bytes/N` answers with N bytes,
/// everything else with `target|body`; a test may put a handler of its own
/// before it starts.
struct http_server_fixture {
  caf::actor_system_config system_config;
  caf::actor_system system{system_config};
  io_thread io{system, 0};
  server_config config;
  std::function<void(const http_exchange_ptr&)> handler = answer;
  std::unique_ptr<http_server_group> group;
  std::uint16_t port = 0;

  http_server_fixture() { io.start(); }

  ~http_server_fixture() {
    group.reset();
    io.stop();
  }

  void start() {
    group = std::make_unique<http_server_group>(
      std::vector{&io}, config, [this](io_thread&) {
        return server_handlers{handler, render_failure};
      });
    auto open = open_port(1);
    CAF_REQUIRE(!group->start(open));
    port = open.local().port;
  }

  static void answer(const http_exchange_ptr& exchange) {
    constexpr std::string_view bytes = "/bytes/";
    auto& request = exchange->request();
    if (request.path().starts_with(bytes)) {
      auto count = std::string{request.path().substr(bytes.size())};
      return exchange->respond(200, "text/plain",
                               std::string(std::stoul(count), 'x'));
    }
    exchange->respond(200, "text/plain",
                      std::string{request.target()} + "|" + request.body);
  }

  static std::string get(std::string_view target,
                         std::string_view headers = {}) {
    return "GET " + std::string{target} + " HTTP/1.1\r\nHost: x\r\n"
           + std::string{headers} + "\r\n";
  }
};

} // namespace troupe::test

#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "http/proxy/proxy.hpp"
#include "messages/traffic.hpp"
#include "messages/type_ids.hpp"
#include "proxy_peer.hpp"
#include "tests/support/open_port.hpp"

namespace troupe::test {

/// A proxy on an io thread of its own, in front of scripted servers, with
/// short deadlines.
struct proxy_fixture {
  struct messages : caf::actor_system_config {
    messages() { add_troupe_messages(*this); }
  };

  messages system_config;
  caf::actor_system system{system_config};
  proxy_config config = short_deadlines();
  cluster_state state;
  routing_view routing = std::make_shared<published<routing_table>>();
  directory_ptr names = std::make_shared<directory>();
  std::unique_ptr<io_thread> io = std::make_unique<io_thread>(system, 0);
  std::unique_ptr<proxy> front;
  std::uint16_t port = 0;

  static proxy_config short_deadlines() {
    using namespace std::chrono_literals;
    proxy_config result;
    result.connect_timeout = 300ms;
    result.client_header_timeout = 300ms;
    result.response_header_timeout = 300ms;
    result.body_idle_timeout = 300ms;
    result.keep_alive_timeout = 300ms;
    result.report_interval = 20ms;
    return result;
  }

  ~proxy_fixture() {
    if (front)
      on_thread([this] { front.reset(); });
    io->stop();
  }

  /// Starts the proxy in front of servers on these ports.
  void start(std::vector<std::uint16_t> servers) {
    for (auto one : servers)
      add_server(one);
    front = std::make_unique<proxy>(*io, config, routing, names);
    auto open = open_port();
    if (front->start(open))
      throw std::runtime_error("the proxy does not start");
    port = open.local().port;
    io->start();
  }

  void add_server(std::uint16_t where) {
    server one;
    one.id = "server-" + std::to_string(state.servers.size() + 1);
    one.service = "demo";
    one.host = "127.0.0.1";
    one.port = where;
    state.servers.emplace(one.id, one);
    publish();
  }

  void publish() {
    auto previous = routing->get();
    auto table = std::make_shared<routing_table>(*previous);
    // As the balancer builds it, with one weight.
    upstream_pool pool;
    pool.service = "demo";
    for (auto& [id, one] : state.servers) {
      if (one.maintenance)
        continue;
      pool.schedule.push_back(static_cast<std::uint16_t>(pool.servers.size()));
      pool.servers.push_back({id, one.host, one.port});
    }
    pool.unavailable_reason = "all in maintenance";
    pool.cursor = std::make_shared<std::atomic<std::uint32_t>>(0);
    table->servers.clear();
    for (auto& [id, one] : state.servers)
      table->servers.push_back(id);
    table->routes = {{"", "/", "demo"}};
    table->pools["demo"] = pool;
    routing->set(std::shared_ptr<const routing_table>{table});
  }

  peer connect() const { return peer::to(port); }

  /// Sends `request` on a connection of its own and reads until it closes.
  std::string ask(std::string_view request) const {
    auto client = connect();
    client.send(request);
    return client.read_all();
  }

  std::string get(std::string_view path = "/") const {
    return ask("GET " + std::string{path}
               + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }

  void on_thread(std::function<void()> task) {
    std::promise<void> done;
    io->post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
};

/// Stands in for the balancer and keeps the last report.
struct reporting_fixture : proxy_fixture {
  std::mutex mutex;
  traffic_report last;
  caf::actor balancer;

  reporting_fixture() {
    balancer = system.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const traffic_report& report) {
        std::lock_guard guard{mutex};
        last = report;
      }};
    });
    names->put("balancer", caf::actor_cast<caf::strong_actor_ptr>(balancer));
  }

  ~reporting_fixture() {
    names->erase("balancer");
    caf::scoped_actor self{system};
    self->send_exit(balancer, caf::exit_reason::kill);
    self->wait_for(balancer);
  }

  /// Once no request is under way.
  traffic_counters counters_of(const std::string& server) {
    for (int tries = 0; tries < 300; ++tries) {
      {
        std::lock_guard guard{mutex};
        auto& found = last.by_server[server];
        if (found.requests > 0 && found.active == 0)
          return found;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return {};
  }
};

inline int status_of(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ")
           ? std::stoi(std::string{answer.substr(9, 3)})
           : 0;
}

inline std::string body_of(std::string_view answer) {
  auto at = answer.find("\r\n\r\n");
  return at == answer.npos ? std::string{} : std::string{answer.substr(at + 4)};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

} // namespace troupe::test

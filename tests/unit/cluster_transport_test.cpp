#define CAF_SUITE cluster_transport

#include "discovery/transport/cluster_transport.hpp"

#include <csignal>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <caf/test/unit_test.hpp>

#include "messages/error.hpp"
#include "tests/support/certificate_folder.hpp"
#include "tests/support/free_port.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct system_config : caf::actor_system_config {
  system_config() {
    load<caf::io::middleman>();
    set("middleman.workers", 0u);
    set("middleman.heartbeat-interval", caf::timespan{200ms});
    set("middleman.connection-timeout", caf::timespan{5s});
  }
};

/// @param unused without any argument CAF binds a reference to null (UBSan).
caf::behavior echo(caf::event_based_actor*, int unused) {
  static_cast<void>(unused);
  return {[](const std::string& text) { return text; }};
}

/// A node as far as its transport goes.
struct small_node {
  system_config config;
  caf::actor_system system{config};
  std::unique_ptr<cluster_transport> transport;

  explicit small_node(std::optional<tls_files> files) {
    auto opened =
      cluster_transport::open(system, {std::move(files), "troupe", {}});
    CAF_REQUIRE(opened);
    transport = std::move(*opened);
  }

  caf::expected<caf::actor> dial(const endpoint& where) {
    caf::scoped_actor self{system};
    caf::expected<caf::actor> result{caf::sec::runtime_error};
    self
      ->request(transport->dialer(), 5s, caf::connect_atom::value, where.host,
                where.port)
      .receive(
        [&](const caf::node_id&, caf::strong_actor_ptr& whom,
            const std::set<std::string>&) {
          result = caf::actor_cast<caf::actor>(whom);
        },
        [&](caf::error& problem) { result = std::move(problem); });
    return result;
  }
};

struct fixture : certificate_folder {
  endpoint where{"127.0.0.1", free_port()};
  issued_pair by = authority();

  fixture() { std::signal(SIGPIPE, SIG_IGN); }

  /// Sends texts of many sizes there and back, all at once: records that end
  /// anywhere, and more than the sockets take.
  void check_echo(bool with_certificates) {
    auto files_of = [&](const std::string& name) {
      if (!with_certificates)
        return std::optional<tls_files>{};
      node(name, by);
      return std::optional{files(name)};
    };
    small_node server{files_of("node-1")};
    small_node client{files_of("node-2")};
    auto answering = server.system.spawn(echo, 0);
    server.transport->publish(
      caf::actor_cast<caf::strong_actor_ptr>(answering));
    CAF_REQUIRE(!server.transport->listen(where));
    auto remote = client.dial(where);
    CAF_REQUIRE(remote);
    exchange(client, *remote);
    end(client, *remote, answering);
  }

  static void exchange(small_node& client, const caf::actor& remote) {
    caf::scoped_actor self{client.system};
    std::vector<std::size_t> sizes = {0,      1,      100,     16'383,   16'384,
                                      16'385, 50'000, 300'000, 5'000'000};
    for (auto round = 0; round < 3; ++round)
      for (auto size : sizes)
        self->send(remote, std::string(size, static_cast<char>('a' + round)));
    for (auto round = 0; round < 3; ++round)
      for (auto size : sizes)
        self->receive(
          [&](const std::string& text) {
            CAF_CHECK(text
                      == std::string(size, static_cast<char>('a' + round)));
          },
          caf::after(20s) >> [] { CAF_FAIL("no answer"); });
  }

  static void end(small_node& client, const caf::actor& remote,
                  const caf::actor& answering) {
    caf::scoped_actor self{client.system};
    self->monitor(remote);
    caf::anon_send_exit(answering, caf::exit_reason::user_shutdown);
    self->receive([](caf::down_msg&) {},
                  caf::after(5s) >> [] { CAF_FAIL("no DOWN"); });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(cluster_transport_tests, fixture)

CAF_TEST(messages of all sizes pass over TLS) {
  check_echo(true);
}

CAF_TEST(messages of all sizes pass without certificates) {
  check_echo(false);
}

CAF_TEST(a successor takes over what is published) {
  small_node server{std::nullopt};
  small_node client{std::nullopt};
  auto first = server.system.spawn(echo, 0);
  auto second = server.system.spawn(echo, 0);
  server.transport->publish(caf::actor_cast<caf::strong_actor_ptr>(first));
  CAF_REQUIRE(!server.transport->listen(where));
  CAF_CHECK_EQUAL(client.dial(where)->id(), first.id());
  server.transport->publish(caf::actor_cast<caf::strong_actor_ptr>(second));
  CAF_CHECK_EQUAL(client.dial(where)->id(), second.id());
  caf::anon_send_exit(first, caf::exit_reason::kill);
  caf::anon_send_exit(second, caf::exit_reason::kill);
}

CAF_TEST(a closed port is a refused connection) {
  small_node client{std::nullopt};
  auto refused = client.dial(where);
  CAF_REQUIRE(!refused);
  CAF_CHECK(is_refused_connection(refused.error()));
}

CAF_TEST_FIXTURE_SCOPE_END()

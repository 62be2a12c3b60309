#define CAF_SUITE cluster_transport

#include "discovery/transport/cluster_transport.hpp"

#include <csignal>
#include <future>

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/write.hpp>

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

  /// Whether a node closes the connection of a peer that announces a message
  /// of so many bytes and sends none.
  bool is_closed_after(bool with_certificates, std::uint32_t announced) {
    auto own_of = [&](const std::string& name) {
      if (!with_certificates)
        return std::unique_ptr<credential_source>{};
      return std::move(*credential_source::open(files(name), "troupe"));
    };
    if (with_certificates) {
      node("node-1", by);
      node("node-2", by);
    }
    small_node server{with_certificates ? std::optional{files("node-1")}
                                        : std::nullopt};
    auto answering = server.system.spawn(echo, 0);
    server.transport->publish(
      caf::actor_cast<caf::strong_actor_ptr>(answering));
    endpoint here{"127.0.0.1", free_port()};
    CAF_REQUIRE(!server.transport->listen(here));
    gate client{{}, own_of("node-2")};
    auto connected = connect(client, here);
    // A direct message of BASP to actor 1 (caf/io/basp/header.hpp).
    std::string header(32, '\0');
    header[0] = 2;
    header[31] = 1;
    for (int i = 0; i < 4; ++i)
      header[4 + i] = static_cast<char>(announced >> 8 * (3 - i));
    send(connected, header);
    // Before CAF would end it for silence.
    auto result = ends_within(connected, 3s);
    caf::anon_send_exit(answering, caf::exit_reason::kill);
    return result;
  }

  static established connect(gate& from, const endpoint& where) {
    auto result = std::make_shared<std::promise<handshake::outcome>>();
    auto outcome = result->get_future();
    from.dial(where, [result](handshake::outcome what) {
      result->set_value(std::move(what));
    });
    CAF_REQUIRE(outcome.wait_for(5s) == std::future_status::ready);
    auto what = outcome.get();
    CAF_REQUIRE(std::holds_alternative<established>(what));
    return std::move(std::get<established>(what));
  }

  static void send(established& to, const std::string& bytes) {
    if (!to.tls) {
      boost::asio::write(to.socket, boost::asio::buffer(bytes));
      return;
    }
    std::size_t written = 0;
    to.tls->write(bytes, written);
    CAF_REQUIRE_EQUAL(written, bytes.size());
  }

  static bool ends_within(established& connection,
                          std::chrono::milliseconds limit) {
    auto socket = connection.socket.native_handle();
    auto deadline = std::chrono::steady_clock::now() + limit;
    char buffer[4096];
    while (std::chrono::steady_clock::now() < deadline) {
      pollfd waited{socket, POLLIN, 0};
      if (::poll(&waited, 1, 50) != 1)
        continue;
      auto got = ::recv(socket, buffer, sizeof(buffer), 0);
      if (got == 0 || (got < 0 && errno == ECONNRESET))
        return true;
    }
    return false;
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

CAF_TEST(a session ends where a message is announced that is too large) {
  CAF_CHECK(is_closed_after(false, 0xfffffff0u));
  CAF_CHECK(is_closed_after(false, (64u << 20) + 1));
}

CAF_TEST(a session over TLS ends there too) {
  CAF_CHECK(is_closed_after(true, 0xfffffff0u));
  CAF_CHECK(is_closed_after(true, (64u << 20) + 1));
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

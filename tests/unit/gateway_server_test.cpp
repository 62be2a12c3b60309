#define CAF_SUITE gateway_server

#include "http/gateway/gateway.hpp"

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include "actors/cache_shard/cache_shard.hpp"
#include "http/gateway/body_reader.hpp"
#include "http/gateway/problem.hpp"
#include "tests/support/open_port.hpp"
#include "tests/unit/http_raw_client.hpp"

// The gateway behind a real server: requests run inline on the io thread, and
// answers come back from other threads too.

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() {
    add_troupe_messages(*this);
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2u);
  }
};

caf::behavior echo_shard(caf::event_based_actor*) {
  return {[](const cache_get& what) {
            return cache_value{what.key, value_encoding::raw, no_ttl};
          },
          [](get_status) { return actor_status{}; }};
}

struct fixture {
  config system_config;
  caf::actor_system system{system_config};
  cluster_view view = std::make_shared<published<cluster_state>>();
  directory_ptr names = std::make_shared<directory>();
  gateway_config settings;
  std::vector<std::unique_ptr<io_thread>> threads;
  std::unique_ptr<http_server_group> group;
  std::uint16_t port = 0;

  fixture() {
    settings.self.id = member_id{1};
    settings.self.name = "node-1";
    settings.self.io_threads = 2;
    cluster_state state;
    state.members[member_id{1}].info = settings.self;
    slot_table table;
    table.nodes = {member_id{1}};
    table.owner.assign(slot_count, 0);
    state.slots = std::make_shared<slot_table>(table);
    view->set(state);
    std::vector<io_thread*> all;
    for (std::uint32_t i = 0; i < 2; ++i) {
      auto& thread =
        threads.emplace_back(std::make_unique<io_thread>(system, i));
      thread->start();
      all.push_back(thread.get());
      put("cache_shard/" + std::to_string(i),
          system.spawn<caf::lazy_init>(echo_shard));
      start_gateway(i);
    }
    put("body_reader", caf::actor_cast<caf::actor>(spawn_body_reader(system)));
    group = std::make_unique<http_server_group>(
      all, api_server_config({}, settings),
      [this](io_thread& io) { return gateway_handlers(io, names); });
    auto open = open_port(all.size());
    CAF_REQUIRE(!group->start(open));
    port = open.local().port;
  }

  ~fixture() {
    group.reset();
    auto current = names->get();
    for (auto& [name, handle] : current->local)
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    system.await_all_actors_done();
    for (auto& thread : threads)
      thread->stop();
  }

  void put(const std::string& name, const caf::actor& who) {
    names->put(name, caf::actor_cast<caf::strong_actor_ptr>(who));
  }

  void start_gateway(std::uint32_t index) {
    put(gateway_name(index),
        caf::actor_cast<caf::actor>(spawn_http_gateway(
          system, settings, {view, names, {}, {}, {}}, index)));
  }
};

std::string get(std::string_view target) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_server_tests, fixture)

CAF_TEST(keys of all shards are read over many connections) {
  std::vector<std::thread> clients;
  clients.reserve(8);
  std::atomic<int> right{0};
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&, c] {
      raw_client client{port};
      for (int i = 0; i < 200; ++i) {
        auto key = "k" + std::to_string(c * 1000 + i);
        auto answer = client.ask(get("/api/infrastructure/cache/keys/" + key));
        auto expected = R"({"success":true,"data":{"key":")" + key;
        expected.append(R"(","value":")").append(key);
        expected.append(R"(","ttl":null}})").append("\n");
        right += answer.status == 200 && answer.body == expected;
      }
    });
  for (auto& client : clients)
    client.join();
  CAF_CHECK_EQUAL(right.load(), 1600);
}

CAF_TEST(a key of ten megabytes is refused) {
  raw_client client{port};
  client.send("GET /api/infrastructure/cache/keys/");
  for (int i = 0; i < 100 && client.send(std::string(100'000, 'k')); ++i)
    ;
  CAF_CHECK_EQUAL(client.read().status, 414);
}

CAF_TEST(cache values may be larger than other bodies) {
  raw_client client{port};
  auto post = [&](std::string_view target) {
    return client
      .ask("POST " + std::string{target}
           + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
             "Content-Length: 2000000\r\n\r\n"
           + std::string(2'000'000, ' '))
      .status;
  };
  CAF_CHECK_EQUAL(post("/api/infrastructure/cache/keys/a"), 400);
  CAF_CHECK_EQUAL(post("/api/infrastructure/loadbalancer/servers"), 413);
}

CAF_TEST(a gateway may end and be started again) {
  raw_client client{port};
  CAF_CHECK_EQUAL(client.ask(get("/health")).status, 200);
  for (std::uint32_t i = 0; i < 2; ++i) {
    auto old = names->local<caf::actor>(gateway_name(i));
    caf::anon_send_exit(old, caf::exit_reason::kill);
    caf::scoped_actor {
      system
      } -> wait_for(old);
  }
  // Dead but still listed, or gone: the client is told either way.
  CAF_CHECK_EQUAL(client.ask(get("/status")).status, 503);
  for (std::uint32_t i = 0; i < 2; ++i)
    names->erase(gateway_name(i));
  auto gone = client.ask(get("/health"));
  CAF_CHECK_EQUAL(gone.status, 503);
  for (std::uint32_t i = 0; i < 2; ++i)
    start_gateway(i);
  CAF_CHECK_EQUAL(client.ask(get("/health")).status, 200);
}

CAF_TEST_FIXTURE_SCOPE_END()

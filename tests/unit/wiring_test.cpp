#define CAF_SUITE wiring

#include "tests/support/precompiled_http.hpp"

#include <filesystem>
#include <thread>

#include <stdlib.h>

#include "http/gateway/gateway.hpp"
#include "node/actor_system.hpp"
#include "node/config/load.hpp"
#include "node/parts.hpp"
#include "node/wiring.hpp"
#include "tests/support/free_port.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

/// A new directory that is gone with this.
struct scratch_folder {
  std::filesystem::path path;

  scratch_folder() {
    std::string name = std::filesystem::temp_directory_path() / "wiringXXXXXX";
    path = ::mkdtemp(name.data());
  }

  ~scratch_folder() { std::filesystem::remove_all(path); }
};

configuration settings_in(const std::filesystem::path& folder) {
  auto result = default_configuration();
  result.node.name = "alone";
  result.node.data_directory = folder;
  result.node.address = "127.0.0.1";
  result.node.advertised_address = "127.0.0.1";
  result.cluster.port = free_port();
  // Itself: a source that finds nobody else.
  result.discovery.nodes = {{"127.0.0.1", result.cluster.port}};
  return result;
}

/// A node without its client ports, over a real network and disk.
struct fixture {
  scratch_folder folder;
  node_system_config config{500ms};
  caf::actor_system system{config};
  node_context context;
  supervisor_actor supervisor;
  std::vector<std::string> failures;
  caf::scoped_actor self{system};

  fixture() {
    context.settings = settings_in(folder.path);
    auto own = identity::open(folder.path, context.settings.cluster.name);
    context.own_identity = *own;
    context.self = describe_node(context.settings, (*own)->get());
    context.self.io_threads = 1;
    context.io_threads.push_back(std::make_unique<io_thread>(system, 0));
    context.io_threads.front()->start();
    auto transport =
      cluster_transport::open(system, transport_part(context.settings));
    context.port = std::make_unique<cluster_port>(
      std::move(*transport),
      endpoint{"127.0.0.1", context.settings.cluster.port});
    auto children = core_children(context);
    children.push_back({gateway_name(0), [this](caf::actor_system& within) {
                          return start_gateway(within);
                        }});
    supervisor = spawn_supervisor(
      system, {}, std::move(children), context.names,
      [this](const std::string& why) { failures.push_back(why); });
    context.names->put("supervisor",
                       caf::actor_cast<caf::strong_actor_ptr>(supervisor));
    wait_until([this] { return writes(); });
  }

  ~fixture() {
    self->request(supervisor, caf::infinite, shut_down{})
      .receive([](const done&) {}, [](const caf::error&) {});
    context.names->erase("supervisor");
    context.port->close();
    context.io_threads.front()->stop();
  }

  caf::expected<caf::strong_actor_ptr>
  start_gateway(caf::actor_system& within) {
    auto settings = gateway_part(context.settings, context.self, 0);
    gateway_sources sources{context.state, context.names, {}, {}, {}};
    return caf::actor_cast<caf::strong_actor_ptr>(
      spawn_http_gateway(within, settings, sources, 0));
  }

  template <class Condition>
  void wait_until(Condition holds) {
    auto deadline = clock_type::now() + 20s;
    while (!holds()) {
      if (clock_type::now() > deadline)
        CAF_FAIL("it did not come to that");
      std::this_thread::sleep_for(2ms);
    }
  }

  actor_names actors() const { return context.names->get()->local; }

  /// Whether the cluster takes a change now.
  bool writes() {
    auto catalog = context.names->local<proposer_actor>("catalog");
    auto result = false;
    if (catalog)
      self->request(catalog, 500ms, propose{read_barrier{}})
        .receive([&](const apply_result& x) { result = !x.failure(); },
                 [](const caf::error&) {});
    return result;
  }

  bool answers(const caf::strong_actor_ptr& who) {
    auto asked = caf::actor_cast<
      caf::typed_actor<caf::replies_to<get_status>::with<actor_status>>>(who);
    auto result = false;
    self->request(asked, 5s, get_status{})
      .receive([&](const actor_status&) { result = true; },
               [](const caf::error&) {});
    return result;
  }

  void kill(const std::string& name) {
    self->request(supervisor, 5s, kill_child{name})
      .receive([](const done&) {},
               [&](const caf::error&) { CAF_FAIL(name << " does not run"); });
  }

  void send(const caf::strong_actor_ptr& whom, caf::message what) {
    whom->enqueue(caf::actor_cast<caf::strong_actor_ptr>(self),
                  caf::make_message_id(), std::move(what), nullptr);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(wiring_tests, fixture)

CAF_TEST(no actor of a node ends of a message that is not for it) {
  auto before = actors();
  CAF_CHECK_GREATER_OR_EQUAL(before.size(), 11u);
  for (auto& [name, who] : before) {
    // As one arrives that can't be read.
    send(who, caf::message{});
    send(who, caf::make_message(std::string{"nonsense"}, 7));
    send(who, caf::make_message(children_list{}));
    send(who, caf::make_message(caf::error{caf::sec::unexpected_message}));
    send(who, caf::make_message(make_error(errc::corrupt, "a peer's disk")));
    send(who, caf::make_message(caf::down_msg{self.address(), {}}));
    if (!answers(who))
      CAF_ERROR(name << " is gone");
  }
  CAF_CHECK(actors() == before);
  CAF_CHECK(failures.empty());
}

CAF_TEST(a message that is not for an actor is answered only where it asks) {
  for (auto& [name, who] : actors()) {
    send(who, caf::make_message(std::string{"nonsense"}));
    auto anything = caf::actor_cast<caf::actor>(who);
    self->request(anything, 5s, std::string{"nonsense"})
      .receive([] { CAF_ERROR("answered"); },
               [&](const caf::error& problem) {
                 CAF_CHECK_NOT_EQUAL(describe(problem).code, errc::timed_out);
               });
    CAF_CHECK(answers(who));
  }
  // Whoever sent it would have to cope with the answer.
  CAF_CHECK(self->mailbox().empty());
}

CAF_TEST(each child that is restarted under load ends nothing else) {
  std::atomic<bool> enough{false};
  std::thread load{[&] {
    caf::scoped_actor writer{system};
    while (!enough)
      if (auto catalog = context.names->local<proposer_actor>("catalog"))
        writer->request(catalog, 500ms, propose{put_key{"k", "v"}})
          .receive([](const apply_result&) {}, [](const caf::error&) {});
  }};
  for (auto& [name, killed] : actors()) {
    if (name == "supervisor" || name == "raft_log" || name == "catalog")
      continue;
    auto before = actors();
    kill(name);
    wait_until([&, which = name] {
      auto now = actors();
      return now.contains(which) && now[which] != before[which];
    });
    // The event of the restart is on its way to the catalog.
    CAF_CHECK(writes());
    CAF_CHECK(answers(actors()["supervisor"]));
    CAF_CHECK(writes());
    auto after = actors();
    before[name] = after[name];
    CAF_CHECK(after == before);
  }
  for (std::string name : {"catalog", "raft_log"}) {
    auto before = actors();
    kill(name);
    wait_until([&] {
      auto now = actors();
      return now.contains("catalog") && now["catalog"] != before["catalog"]
             && writes();
    });
    auto after = actors();
    for (std::string other : {"catalog", "raft_log"})
      before[other] = after[other];
    CAF_CHECK(after == before);
  }
  enough = true;
  load.join();
  CAF_CHECK(failures.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()

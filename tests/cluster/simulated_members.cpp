#include "tests/cluster/simulated_members.hpp"

#include <algorithm>
#include <string>

#include <stdlib.h>

#include <caf/all.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

constexpr auto step = 5ms;

caf::strong_actor_ptr pointer_to(const caf::actor& x) {
  return caf::actor_cast<caf::strong_actor_ptr>(x);
}

} // namespace

/// One node's handle of another one's actor.
class simulated_members::link : public caf::monitorable_actor {
public:
  link(caf::actor_config& config, simulated_members* network, std::size_t from,
       std::size_t to, bool to_catalog)
    : caf::monitorable_actor(config), network_(network), from_(from), to_(to),
      to_catalog_(to_catalog) {}

  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* host) override {
    if (!network_->reachable(from_, to_))
      return;
    network_->messages += what->mid.is_request() ? 2 : 1;
    auto& node = network_->nodes[to_];
    auto target = to_catalog_
                    ? caf::actor_cast<caf::strong_actor_ptr>(node.catalog)
                    : caf::actor_cast<caf::strong_actor_ptr>(node.membership);
    target->get()->enqueue(std::move(what), host);
  }

private:
  simulated_members* network_;
  std::size_t from_;
  std::size_t to_;
  bool to_catalog_;
};

simulated_members::simulated_members(std::size_t size, std::uint32_t seed)
  : nodes(size), seed_(seed) {
  std::string name =
    std::filesystem::temp_directory_path() / "simulated-XXXXXX";
  folder_ = ::mkdtemp(name.data());
  for (std::size_t i = 0; i < size; ++i) {
    auto& x = nodes[i];
    auto number = std::to_string(i + 1);
    auto home = folder_ / number;
    std::filesystem::create_directory(home);
    x.own = *identity::open(home, "test");
    x.info.id = x.own->get().id;
    x.info.incarnation = x.own->get().incarnation;
    x.info.name = "node-" + number;
    x.info.cluster = {"10.0.0." + number, 3007};
  }
}

simulated_members::~simulated_members() {
  for (auto& x : nodes)
    end(x);
  consume_messages();
  for (auto& x : nodes)
    x = {};
  std::filesystem::remove_all(folder_);
}

void simulated_members::start(std::size_t i) {
  auto& x = nodes[i];
  auto seed = seed_ * 1000 + static_cast<std::uint32_t>(i);
  catalog_config catalog;
  catalog.self = x.info;
  catalog.heartbeat = 75ms;
  catalog.election_timeout = 300ms;
  catalog.seed = seed;
  catalog.encodes_on_own_thread = false;
  x.log = spawn_memory_log(sys, x.disk);
  x.catalog =
    spawn_catalog(sys, catalog, x.log, x.view, x.leadership, x.disk->watch);
  x.names->put("catalog", caf::actor_cast<caf::strong_actor_ptr>(x.catalog));
  membership_config membership;
  membership.self = x.info;
  membership.cluster_name = "test";
  membership.expected_nodes =
    static_cast<std::uint32_t>(std::min<std::size_t>(nodes.size(), 3));
  membership.seed = seed;
  x.membership = spawn_membership(
    sys, membership, {x.view, x.names, x.own, x.leadership, x.roles});
  x.names->put("membership",
               caf::actor_cast<caf::strong_actor_ptr>(x.membership));
  x.up = true;
  for (std::size_t j = 0; j < nodes.size(); ++j)
    if (j != i && nodes[j].up) {
      connect(i, j);
      connect(j, i);
    }
}

template <class Message>
void simulated_members::tell(std::size_t i, const Message& what) {
  caf::anon_send(nodes[i].catalog, what);
  caf::anon_send(nodes[i].membership, what);
}

void simulated_members::connect(std::size_t from, std::size_t to) {
  auto make = [&](bool to_catalog) {
    caf::actor_config config;
    return pointer_to(
      caf::make_actor<link, caf::actor>(sys.next_actor_id(), sys.node(), &sys,
                                        config, this, from, to, to_catalog));
  };
  actor_names actors{{"catalog", make(true)}, {"membership", make(false)}};
  nodes[from].names->put_peer(nodes[to].info.id, actors);
  tell(from, peer_up{nodes[to].info, actors});
}

bool simulated_members::reachable(std::size_t from, std::size_t to) const {
  return nodes[from].up && nodes[to].up && !silent_.contains(from)
         && !silent_.contains(to);
}

simulated_members::milliseconds simulated_members::form() {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    start(i);
  auto wanted = std::min<std::size_t>(nodes.size(), 5);
  return time_until([&] {
    if (voters() != wanted)
      return false;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (!all_hold(i, verdict::alive))
        return false;
    return true;
  });
}

void simulated_members::end(node& x) {
  caf::anon_send_exit(x.membership, caf::exit_reason::kill);
  caf::anon_send_exit(x.catalog, caf::exit_reason::kill);
  caf::anon_send_exit(x.log, caf::exit_reason::kill);
}

void simulated_members::kill(std::size_t i) {
  auto& x = nodes[i];
  x.up = false;
  x.leadership->end();
  x.roles->end();
  end(x);
  for (auto refused : {false, true})
    for (std::size_t j = 0; j < nodes.size(); ++j)
      if (nodes[j].up) {
        nodes[j].names->erase_peer(x.info.id);
        tell(j, peer_down{x.info.id, x.info.incarnation, "connection closed",
                          refused});
      }
  consume_messages();
}

std::size_t simulated_members::leader() const {
  std::uint64_t term = 0;
  std::size_t result = nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto state = nodes[i].view->get();
    if (nodes[i].up && state->leader == nodes[i].info.id
        && state->term > term) {
      term = state->term;
      result = i;
    }
  }
  return result;
}

std::size_t simulated_members::voters() const {
  std::size_t result = 0;
  auto state = nodes.front().view->get();
  for (auto& [id, x] : state->members)
    if (x.role == raft_role::voter)
      ++result;
  return result;
}

bool simulated_members::all_hold(std::size_t i, verdict what) const {
  for (std::size_t j = 0; j < nodes.size(); ++j) {
    if (j == i || !nodes[j].up || silent_.contains(j))
      continue;
    auto state = nodes[j].view->get();
    auto found = state->members.find(nodes[i].info.id);
    if (found == state->members.end() || found->second.state != what)
      return false;
  }
  return true;
}

void simulated_members::elapse(milliseconds time) {
  for (; time > 0ms; time -= step) {
    advance_time(step);
    consume_messages();
  }
}

simulated_members::milliseconds
simulated_members::time_until(const std::function<bool()>& condition,
                              milliseconds limit) {
  auto spent = 0ms;
  consume_messages();
  for (; !condition(); spent += step) {
    if (spent >= limit)
      CAF_FAIL("it never came to that");
    elapse(step);
  }
  return spent;
}

} // namespace troupe

#include "tests/cluster/simulated_cluster.hpp"

#include <algorithm>

#include "discovery/identity/identity.hpp"
#include "discovery/raft/raft_configuration.hpp"

namespace troupe {

using namespace std::chrono_literals;

// -- network ------------------------------------------------------------------

bool simulated_network::passes(std::size_t from, std::size_t to) {
  if (cut.contains({from, to}))
    return false;
  return loss == 0 || std::uniform_real_distribution<>{}(random) >= loss;
}

std::chrono::milliseconds simulated_network::delay() {
  if (delay_max.count() == 0)
    return 0ms;
  std::uniform_int_distribution<long> any{delay_min.count(), delay_max.count()};
  return std::chrono::milliseconds{any(random)};
}

namespace {

/// Runs something on an actor after a while, in virtual time.
using deferred = std::shared_ptr<std::function<void()>>;

void run_later(caf::event_based_actor* self, std::chrono::milliseconds wait,
               std::function<void()> what) {
  if (wait.count() == 0)
    what();
  else
    self->delayed_send(
      self, wait, std::make_shared<std::function<void()>>(std::move(what)));
}

} // namespace

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<std::function<void()>>)

namespace troupe {

/// Both ways may fail.
template <class Answer, class Request>
caf::result<Answer>
simulated_cluster::pass_request(caf::event_based_actor* self, direction way,
                                std::chrono::milliseconds delay,
                                const Request& x) {
  auto [from, to] = way;
  auto promise = self->make_response_promise<Answer>();
  auto answer = [=, this, from = from, to = to](caf::expected<Answer> result) {
    if (!net.passes(to, from))
      return;
    run_later(self, delay, [=]() mutable {
      if (result)
        promise.deliver(std::move(*result));
      else
        promise.deliver(std::move(result.error()));
    });
  };
  if (net.passes(from, to))
    run_later(self, delay, [=, this, from = from, to = to] {
      if (!nodes[to].up || net.cut.contains({from, to}))
        return;
      self->request(nodes[to].catalog, caf::infinite, x)
        .then([=](Answer& y) { answer(std::move(y)); },
              [=](caf::error& y) { answer(std::move(y)); });
    });
  return promise;
}

caf::actor simulated_cluster::make_link(std::size_t from, std::size_t to) {
  return sys.spawn([=, this](caf::event_based_actor* self) -> caf::behavior {
    return {
      [=, this](const deferred& what) { (*what)(); },
      [=, this](const raft_message_bytes& x) {
        if (net.filter && !net.filter(from, to, x.bytes))
          return;
        if (!net.passes(from, to))
          return;
        run_later(self, net.delay(), [=, this] {
          if (nodes[to].up && !net.cut.contains({from, to}))
            self->send(nodes[to].catalog, x);
        });
      },
      [=, this](const forward_command& x) {
        return pass_request<apply_result>(self, {from, to}, net.delay(), x);
      },
      // These come in order, as they do over one connection.
      [=, this](const raft_message_part& x) {
        return pass_request<done>(self, {from, to}, net.delay_max, x);
      },
    };
  });
}

// -- life ---------------------------------------------------------------------

simulated_cluster::simulated_cluster(std::size_t size, std::uint32_t seed)
  : nodes(size) {
  net.random.seed(seed);
  for (std::size_t i = 0; i < size; ++i) {
    auto& config = nodes[i].config;
    config.self.id = id_of(i);
    config.self.name = "node-" + std::to_string(i + 1);
    config.seed = seed * 100 + static_cast<std::uint32_t>(i) + 1;
  }
  for (std::size_t from = 0; from < size; ++from)
    for (std::size_t to = 0; to < size; ++to)
      links_.push_back(make_link(from, to));
  consume_messages();
}

simulated_cluster::~simulated_cluster() {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    crash(i);
  for (auto& link : links_)
    caf::anon_send_exit(link, caf::exit_reason::kill);
  links_.clear();
  consume_messages();
}

void simulated_cluster::start(std::size_t i, std::shared_ptr<request_ids> ids) {
  auto& x = nodes[i];
  ++x.config.self.incarnation;
  x.config.ids = std::move(ids);
  x.config.encodes_on_own_thread = false;
  x.view = std::make_shared<published<cluster_state>>();
  x.log = spawn_memory_log(sys, x.disk);
  x.catalog =
    spawn_catalog(sys, x.config, x.log, x.view, x.leadership, x.disk->watch);
  x.up = true;
  for (std::size_t j = 0; j < nodes.size(); ++j)
    if (j != i)
      self->send(x.catalog,
                 peer_up{nodes[j].config.self,
                         {{"catalog", caf::actor_cast<caf::strong_actor_ptr>(
                                        links_[i * nodes.size() + j])}}});
  consume_messages();
}

void simulated_cluster::crash(std::size_t i) {
  auto& x = nodes[i];
  if (!x.up)
    return;
  x.up = false;
  x.leadership->end();
  caf::anon_send_exit(x.catalog, caf::exit_reason::kill);
  caf::anon_send_exit(x.log, caf::exit_reason::kill);
  x.catalog = nullptr;
  x.log = nullptr;
  consume_messages();
}

void simulated_cluster::recover(std::size_t i) {
  auto& disk = nodes[i].disk->contents;
  ++disk.term;
  disk.voted_for = id_of(i);
  disk.entries.push_back(
    {disk.term, entry_kind::change,
     encode_configuration({{id_of(i), raft_role::voter}})});
  command recovered{
    {id_of(i), ++nodes[i].config.self.incarnation, 1, 1, ++processes_},
    1000,
    recover_cluster{make_cluster_uuid(++nodes[i].config.seed), id_of(i)}};
  disk.entries.push_back({disk.term, entry_kind::command, encode(recovered)});
}

void simulated_cluster::form() {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    start(i);
  auto founded = ask<done>(nodes[0].catalog, bootstrap_cluster{"test"});
  CAF_REQUIRE(await([&] { return founded->has_value(); }));
  CAF_REQUIRE(**founded);
  for (std::size_t i = 1; i < nodes.size(); ++i)
    add_voter(i);
  CAF_REQUIRE(await_agreement());
}

void simulated_cluster::add_voter(std::size_t i) {
  commit_at(0, register_node{nodes[i].config.self});
  for (auto role : {raft_role::standby, raft_role::voter}) {
    auto changed = set_role(0, i, role);
    CAF_REQUIRE(await([&] { return changed->has_value(); }));
    CAF_REQUIRE(**changed);
  }
}

void simulated_cluster::isolate(std::size_t i) {
  for (std::size_t j = 0; j < nodes.size(); ++j) {
    cut(i, j);
    cut(j, i);
  }
}

void simulated_cluster::split(const std::set<std::size_t>& some,
                              const std::set<std::size_t>& others) {
  heal();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j < nodes.size(); ++j) {
      auto together = (some.contains(i) && some.contains(j))
                      || (others.contains(i) && others.contains(j));
      if (i != j && !together)
        cut(i, j);
    }
}

// -- time ---------------------------------------------------------------------

void simulated_cluster::elapse(std::chrono::milliseconds time) {
  consume_messages();
  for (; time.count() > 0; time -= 1ms) {
    advance_time(1ms);
    consume_messages();
    invariant();
  }
}

bool simulated_cluster::await(const std::function<bool()>& condition,
                              std::chrono::milliseconds limit) {
  consume_messages();
  for (; !condition(); limit -= 1ms) {
    if (limit.count() <= 0)
      return false;
    elapse(1ms);
  }
  return true;
}

// -- state --------------------------------------------------------------------

apply_result simulated_cluster::commit_at(std::size_t i, command_body body) {
  auto result = propose_at(i, std::move(body));
  CAF_REQUIRE(await([&] { return result->has_value(); }));
  CAF_REQUIRE(**result);
  CAF_REQUIRE_EQUAL((***result).code, 0);
  return ***result;
}

std::optional<std::size_t> simulated_cluster::leader() const {
  std::optional<std::size_t> result;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].up && state(i)->leader == id_of(i)
        && (!result || state(i)->term > state(*result)->term))
      result = i;
  return result;
}

std::size_t simulated_cluster::await_leader() {
  CAF_REQUIRE(await([&] {
    auto who = leader();
    if (!who)
      return false;
    auto followers = std::count_if(nodes.begin(), nodes.end(), [&](auto& x) {
      return x.up && x.view->get()->leader == id_of(*who);
    });
    return static_cast<std::size_t>(followers) > nodes.size() / 2;
  }));
  return *leader();
}

bool simulated_cluster::await_agreement() {
  return await([&] {
    std::set<std::uint64_t> applied;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].up)
        applied.insert(state(i)->applied_index);
    return applied.size() == 1 && leader();
  });
}

std::set<std::uint16_t> simulated_cluster::ports(std::size_t i) const {
  std::set<std::uint16_t> result;
  auto current = state(i);
  for (auto& [id, server] : current->servers)
    result.insert(server.port);
  return result;
}

} // namespace troupe

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/test/dsl.hpp>

#include "discovery/catalog/catalog.hpp"
#include "tests/support/memory_log.hpp"

namespace troupe {

/// The network between simulated nodes; seeded, in virtual time.
struct simulated_network {
  std::mt19937 random;
  /// Probability that a message vanishes.
  double loss = 0;
  /// One-way delay. Messages overtake each other when it varies.
  std::chrono::milliseconds delay_min{0};
  std::chrono::milliseconds delay_max{0};
  /// Directed links that let nothing through: from, to.
  std::set<std::pair<std::size_t, std::size_t>> cut;
  /// Sees each Raft message before it leaves and may withhold it.
  std::function<bool(std::size_t from, std::size_t to, const std::string&)>
    filter;

  bool passes(std::size_t from, std::size_t to);
  std::chrono::milliseconds delay();
};

/// The outcome of a request that may still be under way.
template <class T>
using outcome = std::shared_ptr<std::optional<caf::expected<T>>>;

struct simulation_config : caf::actor_system_config {
  simulation_config() { add_troupe_messages(*this); }
};

/// Catalogs that talk over a simulated network, each with a disk that survives
/// its crash. Time moves with `elapse` only.
class simulated_cluster : public test_coordinator_fixture<simulation_config> {
public:
  struct node {
    catalog_config config;
    std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
    raft_log_actor log;
    catalog_actor catalog;
    cluster_view view;
    lease_ptr leadership = std::make_shared<lease>();
    bool up = false;
  };

  simulated_network net;
  std::vector<node> nodes;

  /// Nodes that are not started yet.
  explicit simulated_cluster(std::size_t size = 3, std::uint32_t seed = 1);
  ~simulated_cluster() override;

  // -- life -------------------------------------------------------------------

  /// A new process, which counts its commands from one.
  void start(std::size_t i) {
    start(i, std::make_shared<request_ids>(++processes_));
  }
  /// The catalog again, in the process that has these ids.
  void start(std::size_t i, std::shared_ptr<request_ids> ids);
  /// Kills node `i`; what its disk had not finished is lost.
  void crash(std::size_t i);
  /// Does to the disk of node `i` what `troupe recover` does: it is the only
  /// member from now on, and the cluster has another id.
  void recover(std::size_t i);
  void restart(std::size_t i) {
    crash(i);
    start(i);
  }

  /// Starts all, founds a cluster on node 0 and makes everyone a voter.
  void form();
  void add_voter(std::size_t i);

  // -- network ----------------------------------------------------------------

  /// Cuts `i` off from everyone, both ways.
  void isolate(std::size_t i);
  void cut(std::size_t from, std::size_t to) { net.cut.emplace(from, to); }
  /// Replaces all cuts: only within each of these groups messages pass.
  void split(const std::set<std::size_t>& some,
             const std::set<std::size_t>& others);
  void heal() { net.cut.clear(); }

  // -- time -------------------------------------------------------------------

  void elapse(std::chrono::milliseconds time);

  /// Called after each millisecond.
  std::function<void()> invariant = [] {};

  /// Lets time pass until `condition` holds. False when it never did within
  /// `limit`.
  bool await(const std::function<bool()>& condition,
             std::chrono::milliseconds limit = std::chrono::seconds{10});

  // -- requests ---------------------------------------------------------------

  template <class T, class Message>
  outcome<T> ask(const catalog_actor& whom, Message what) {
    auto result = std::make_shared<std::optional<caf::expected<T>>>();
    sys.spawn([=](caf::event_based_actor* client) {
      client->request(whom, caf::infinite, what)
        .then([=](T& x) { result->emplace(std::move(x)); },
              [=](caf::error& x) { result->emplace(std::move(x)); });
    });
    return result;
  }

  outcome<apply_result> propose_at(std::size_t i, command_body body) {
    return ask<apply_result>(nodes[i].catalog, propose{std::move(body)});
  }

  /// Proposes and waits. Fails the test when it is not answered with success.
  apply_result commit_at(std::size_t i, command_body body);

  outcome<done> set_role(std::size_t at, std::size_t whom, raft_role role) {
    return ask<done>(nodes[at].catalog, set_raft_role{id_of(whom), role});
  }

  // -- state ------------------------------------------------------------------

  static member_id id_of(std::size_t i) { return member_id{i + 1}; }
  std::shared_ptr<const cluster_state> state(std::size_t i) const {
    return nodes[i].view->get();
  }

  /// The node that leads in the highest term among those up, or nothing.
  std::optional<std::size_t> leader() const;

  /// Waits for a leader that `quorum` nodes follow.
  std::size_t await_leader();

  /// Waits until all nodes that are up have applied the same.
  bool await_agreement();

  /// Servers' ports on node `i`: what the tests write.
  std::set<std::uint16_t> ports(std::size_t i) const;

private:
  /// From and to.
  using direction = std::pair<std::size_t, std::size_t>;

  caf::actor make_link(std::size_t from, std::size_t to);
  template <class Answer, class Request>
  caf::result<Answer> pass_request(caf::event_based_actor* self, direction way,
                                   std::chrono::milliseconds delay,
                                   const Request& x);

  std::vector<caf::actor> links_;
  std::uint64_t processes_ = 0;
};

/// A command that can be told from others by its port.
inline command_body server_at(std::uint16_t port) {
  return add_server{"demo", "10.0.0.1", port, 1};
}

} // namespace troupe

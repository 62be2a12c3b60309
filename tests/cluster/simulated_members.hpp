#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <caf/test/dsl.hpp>

#include "discovery/catalog/catalog.hpp"
#include "discovery/membership/membership.hpp"
#include "tests/support/memory_log.hpp"

namespace troupe {

struct member_simulation_config : caf::actor_system_config {
  member_simulation_config() { add_troupe_messages(*this); }
};

/// Whole clusters of catalogs and memberships in virtual time, with the timers
/// of the `lan` profile, on a network without delay that counts what it
/// carries.
class simulated_members
  : public test_coordinator_fixture<member_simulation_config> {
public:
  using milliseconds = std::chrono::milliseconds;

  struct node {
    node_info info;
    std::shared_ptr<identity> own;
    std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
    directory_ptr names = std::make_shared<directory>();
    cluster_view view = std::make_shared<published<cluster_state>>();
    lease_ptr leadership = std::make_shared<lease>();
    lease_ptr roles = std::make_shared<lease>();
    raft_log_actor log;
    catalog_actor catalog;
    membership_actor membership;
    bool up = false;
  };

  /// Nothing runs yet. Three nodes, or all if there are fewer, found the
  /// cluster.
  explicit simulated_members(std::size_t size, std::uint32_t seed = 1);
  ~simulated_members() override;

  std::vector<node> nodes;

  /// Messages that a node sent to another one, and answers to them.
  std::uint64_t messages = 0;

  /// Starts all and waits until all hold all to be alive, as many as may vote.
  /// Returns how long that took.
  milliseconds form();

  /// The process dies: links close, and its host refuses new ones.
  void kill(std::size_t i);
  /// Nothing gets to it or from it any more.
  void silence(std::size_t i) { silent_.insert(i); }

  std::size_t leader() const;
  std::size_t voters() const;

  /// Whether all others that run hold `i` to be that.
  bool all_hold(std::size_t i, verdict what) const;

  void elapse(milliseconds time);

  /// How long it takes until `condition` holds. Fails the test when it never
  /// does.
  milliseconds time_until(const std::function<bool()>& condition,
                          milliseconds limit = std::chrono::seconds{60});

private:
  class link;

  void start(std::size_t i);
  static void end(node& x);
  void connect(std::size_t from, std::size_t to);
  bool reachable(std::size_t from, std::size_t to) const;
  template <class Message>
  void tell(std::size_t i, const Message& what);

  std::uint32_t seed_;
  std::filesystem::path folder_;
  std::set<std::size_t> silent_;
};

} // namespace troupe

#include "discovery/peer_source/peer_source.hpp"

#include <random>
#include <set>

#include <caf/all.hpp>

#include <spdlog/spdlog.h>

#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

/// The part of the peering actor that hears of addresses.
using candidate_listener = caf::typed_actor<caf::reacts_to<peer_candidates>>;

/// A place that names more is not the place it was meant to be.
constexpr std::size_t most_addresses = 1000;

struct source_state {
  static inline const char* name = "peer_source";

  peer_source_actor::pointer self;
  peer_source_config config;
  std::shared_ptr<peer_finder> finder;
  directory_ptr names;
  std::mt19937_64 random;
  backoff retry;
  std::vector<endpoint> last;
  /// Why the last look failed; empty: it did not.
  std::string problem;
  std::set<std::string> complaints;

  void look() {
    auto pause = config.interval;
    if (auto found = finder->look()) {
      take(std::move(*found));
    } else {
      fail(describe(found.error()).detail);
      pause =
        retry.next(config.retry, std::uniform_real_distribution<>{}(random));
    }
    tell_peering();
    self->delayed_send(self, pause, tick{});
  }

  void take(findings found) {
    if (!problem.empty())
      spdlog::info("{}: works again", config.name);
    problem.clear();
    retry.reset();
    if (found.addresses.size() > most_addresses) {
      found.complaints.push_back(
        fmt::format("names {} addresses, only the first {} are used",
                    found.addresses.size(), most_addresses));
      found.addresses.resize(most_addresses);
    }
    last = std::move(found.addresses);
    complain(found.complaints);
  }

  void complain(const std::vector<std::string>& now) {
    std::set<std::string> current{now.begin(), now.end()};
    for (auto& complaint : current)
      if (!complaints.contains(complaint))
        spdlog::warn("{}: {}", config.name, complaint);
    complaints = std::move(current);
  }

  void fail(std::string why) {
    if (why != problem)
      spdlog::warn("{}: {}; tries again", config.name, why);
    problem = std::move(why);
  }

  /// Each time, because the peering actor may have been restarted.
  void tell_peering() {
    if (last.empty())
      return;
    if (auto peering = names->local<candidate_listener>("peering"))
      self->send(peering, peer_candidates{config.name, last});
  }

  actor_status report() const {
    actor_status result{config.name, {}};
    for (auto& where : last)
      result.details[to_string(where)] = "known";
    if (!problem.empty())
      result.details["problem"] = problem;
    if (!complaints.empty())
      result.details["complaints"] =
        fmt::format("{}", fmt::join(complaints, "; "));
    return result;
  }
};

peer_source_actor::behavior_type
peer_source(peer_source_actor::stateful_pointer<source_state> self,
            peer_source_config config, std::shared_ptr<peer_finder> finder,
            directory_ptr names) {
  outlive_strays(self);
  auto& state = self->state;
  state.self = self;
  state.config = std::move(config);
  state.finder = std::move(finder);
  state.names = std::move(names);
  state.random.seed(state.config.seed);
  self->set_exit_handler([self](caf::exit_msg& exit) {
    if (exit.reason == caf::exit_reason::user_shutdown)
      self->state.finder->withdraw();
    self->quit(std::move(exit.reason));
  });
  self->send(self, tick{});
  return {
    [self](const tick&) { self->state.look(); },
    [self](const get_status&) { return self->state.report(); },
  };
}

} // namespace

peer_source_actor spawn_peer_source(caf::actor_system& system,
                                    peer_source_config config,
                                    std::shared_ptr<peer_finder> finder,
                                    directory_ptr names) {
  return system.spawn(peer_source, std::move(config), std::move(finder),
                      std::move(names));
}

peer_source_actor
spawn_blocking_peer_source(caf::actor_system& system, peer_source_config config,
                           std::shared_ptr<peer_finder> finder,
                           directory_ptr names) {
  return system.spawn<caf::detached>(peer_source, std::move(config),
                                     std::move(finder), std::move(names));
}

} // namespace troupe

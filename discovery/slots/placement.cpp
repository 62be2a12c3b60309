#include "discovery/slots/placement.hpp"

#include <utility>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "discovery/slots/rebalance.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

/// A catalog answers within its own deadline; this one only covers a catalog
/// that died with the proposal.
constexpr auto answer_deadline = std::chrono::seconds{15};

struct placement_state {
  static inline const char* name = "placement";

  void look();
  void arm();
  void propose_table(slot_table table, std::uint64_t term);
  void look_again_after(std::chrono::milliseconds delay);
  actor_status status() const;
  rebalance make_rebalance() const { return {config.join_delay, config.lease}; }

  placement_actor::pointer self = nullptr;
  placement_config config;
  cluster_view view;
  directory_ptr names;
  rebalance rebalancing = make_rebalance();
  /// Version of the state that was looked at last.
  std::uint64_t seen = 0;
  bool proposing = false;
  /// A tick is on its way.
  bool armed = false;
  /// No look before this.
  caf::actor_clock::time_point not_before{};
  std::uint64_t assignments = 0;
  std::string last_failure;
};

void placement_state::look() {
  if (proposing || (view->version() == seen && !rebalancing.waiting()))
    return;
  auto now = self->clock().now();
  if (now < not_before) {
    arm();
    return;
  }
  seen = view->version();
  auto state = view->get();
  if (state->leader != config.self) {
    rebalancing = make_rebalance();
    return;
  }
  if (auto table = rebalancing.step(*state, now))
    propose_table(std::move(*table), state->term);
  else if (rebalancing.waiting())
    arm();
}

void placement_state::arm() {
  if (std::exchange(armed, true))
    return;
  self->delayed_send(self, config.interval, tick{});
}

void placement_state::propose_table(slot_table table, std::uint64_t term) {
  auto catalog = names->local<proposer_actor>("catalog");
  if (!catalog) {
    last_failure = "no catalog is running";
    look_again_after(config.retry_delay);
    return;
  }
  proposing = true;
  auto epoch = table.epoch;
  auto nodes = table.nodes.size();
  self
    ->request(catalog, answer_deadline,
              propose{assign_slots{std::move(table)}, term})
    .then(
      [this, epoch, nodes](const apply_result& result) {
        proposing = false;
        if (auto refused = result.failure()) {
          // Somebody was faster: the state that says so is here or on its way.
          last_failure = describe(refused).detail;
          look_again_after(config.interval);
          return;
        }
        ++assignments;
        last_failure.clear();
        spdlog::info("slots assigned to {} nodes, epoch {}", nodes, epoch);
        look_again_after({});
      },
      [this](const caf::error& failure) {
        proposing = false;
        last_failure = describe(failure).detail;
        look_again_after(config.retry_delay);
      });
}

void placement_state::look_again_after(std::chrono::milliseconds delay) {
  seen = 0;
  not_before = self->clock().now() + delay;
  arm();
}

actor_status placement_state::status() const {
  auto slots = view->get()->slots;
  return {name,
          {{"epoch", std::to_string(slots->epoch)},
           {"nodes", std::to_string(slots->nodes.size())},
           {"assignments", std::to_string(assignments)},
           {"proposing", proposing ? "true" : "false"},
           {"last_failure", last_failure}}};
}

placement_actor::behavior_type
placement(placement_actor::stateful_pointer<placement_state> self,
          const placement_config& config, const cluster_view& view,
          const directory_ptr& names) {
  outlive_strays(self);
  auto& state = self->state;
  state.self = self;
  state.config = config;
  state.rebalancing = state.make_rebalance();
  state.view = view;
  state.names = names;
  notify_of_changes(state.view, self->address());
  state.arm();
  return {
    [self](state_changed) { self->state.look(); },
    [self](tick) {
      self->state.armed = false;
      self->state.look();
    },
    [self](get_status) { return self->state.status(); },
  };
}

} // namespace

caf::error placement_config::validate() const {
  if (self == member_id::none)
    return make_error(errc::invalid_field, "must not be zero", "self");
  if (lease.count() < 0)
    return make_error(errc::invalid_field, "must not be negative", "lease");
  if (join_delay.count() < 0)
    return make_error(errc::invalid_field, "must not be negative",
                      "join_delay");
  if (interval.count() <= 0)
    return make_error(errc::invalid_field, "must be positive", "interval");
  if (retry_delay.count() <= 0)
    return make_error(errc::invalid_field, "must be positive", "retry_delay");
  return caf::none;
}

placement_actor spawn_placement(caf::actor_system& system,
                                placement_config config, cluster_view view,
                                directory_ptr names) {
  return system.spawn(placement, config, std::move(view), std::move(names));
}

} // namespace troupe

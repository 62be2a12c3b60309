#include "actors/cache_shard/cache_shard.hpp"

#include <memory>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "actors/cache_shard/handover.hpp"
#include "actors/cache_shard/import_guard.hpp"
#include "actors/cache_shard/store.hpp"
#include "messages/slots.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

using namespace std::chrono_literals;

/// Entries looked at in one sweep.
constexpr std::size_t sweep_positions = 16384;

/// Until the next tick when there is work left: other messages go first.
constexpr auto soon = 1ms;

/// For an old owner's answer about a key.
constexpr auto peek_deadline = 500ms;

/// For the ack of one batch.
constexpr auto import_deadline = 5s;

class shard {
public:
  shard(cache_shard_actor::pointer self, const cache_shard_config& config,
        const cluster_view& view, directory_ptr names, lease_ptr roles)
    : self_(self), config_(config), reader_(view), names_(std::move(names)),
      roles_(std::move(roles)), store_({config.max_entries, config.max_bytes}) {
  }

  caf::result<cache_value> get(const cache_get& x) {
    auto slot = slot_of(x.key);
    if (auto refused = check_owner(slot))
      return refused;
    auto now = self_->clock().now();
    if (auto* found = store_.find(x.key, now))
      return value_of(*found, now);
    if (auto before = guard_.perhaps_at(slot, store::hash(x.key), now))
      if (auto previous = shard_at(address_of(slot, *before)))
        return fetch(previous, x.key);
    return absent();
  }

  caf::result<cache_value> peek(const cache_peek& x) {
    auto now = self_->clock().now();
    auto* found = store_.find(x.key, now);
    return found ? caf::result<cache_value>{value_of(*found, now)} : absent();
  }

  caf::result<cache_count> set(const cache_set& x) {
    auto slot = slot_of(x.key);
    if (auto refused = check_writable(slot))
      return refused;
    if (auto refused = check_size(x))
      return refused;
    auto now = self_->clock().now();
    if (!store_.set(x.key, x.bytes, x.encoding, x.ttl_ms, now))
      return too_large("value", x.bytes.size(), config_.max_bytes,
                       "bytes for all entries of the shard");
    guard_.touched(slot, store::hash(x.key), now);
    return cache_count{1};
  }

  caf::result<cache_count> erase(const cache_delete& x) {
    auto slot = slot_of(x.key);
    if (auto refused = check_writable(slot))
      return refused;
    auto now = self_->clock().now();
    guard_.touched(slot, store::hash(x.key), now);
    return cache_count{store_.erase(x.key, now) ? 1u : 0u};
  }

  caf::result<cache_count> clear() {
    if (!roles_->held(self_->clock().now()))
      return lease_ended();
    notice_table();
    guard_.cleared();
    return cache_count{store_.clear()};
  }

  caf::result<cache_count> import(const cache_import& x);

  cache_stats stats() const { return store_.stats(); }

  actor_status status() const;

  /// Does what is due. Returns the time until the next tick.
  std::chrono::milliseconds work();

  /// Takes over a newer slot table and begins to hand over what moved.
  void follow_table();

private:
  /// None if the slot belongs to this shard.
  caf::error check_owner(std::uint32_t slot) {
    notice_table();
    if (owns(slot))
      return caf::none;
    return refusal(slot);
  }

  caf::error check_writable(std::uint32_t slot) {
    if (auto refused = check_owner(slot))
      return refused;
    return roles_->held(self_->clock().now()) ? caf::error{} : lease_ended();
  }

  static cache_value value_of(const entry& x, store::time_point now) {
    return {std::string{x.value()}, x.encoding(), x.ttl_ms(now)};
  }

  static caf::error absent() {
    return make_error(errc::not_found, "no entry with this key", "key");
  }

  static caf::error lease_ended() {
    return make_error(errc::unavailable,
                      "this node has no contact with the cluster's leader, so "
                      "another may own the key by now");
  }

  bool owns(std::uint32_t slot) const {
    return slot % config_.shards == config_.index
           && table_->owner_of(slot) == config_.self;
  }

  /// Takes over the newest slot table; one atomic load while there is none.
  void notice_table() {
    const auto& newest = reader_.get().slots;
    if (newest != table_)
      take_table(newest);
  }

  void take_table(const std::shared_ptr<const slot_table>& newest);
  caf::error refusal(std::uint32_t slot);
  caf::error check_size(const cache_set& x) const;
  static caf::error too_large(std::string field, std::uint64_t size,
                              std::uint64_t bound, std::string_view of);
  shard_address address_of(std::uint32_t slot, member_id node);
  /// An invalid handle when that node is not connected.
  cache_shard_actor shard_at(const shard_address& where) const;
  caf::result<cache_value> fetch(const cache_shard_actor& previous,
                                 const std::string& key);
  bool take(const cache_entry& x);
  handover::route make_route();
  void hand_over();
  void send_batch(handover::batch what);
  std::string name() const {
    return "cache_shard/" + std::to_string(config_.index);
  }

  cache_shard_actor::pointer self_;
  cache_shard_config config_;
  published_reader<cluster_state> reader_;
  directory_ptr names_;
  lease_ptr roles_;
  std::shared_ptr<const slot_table> table_ = std::make_shared<slot_table>();
  store store_;
  import_guard guard_;
  handover handover_;
  caf::actor_clock::time_point next_sweep_{};
};

void shard::take_table(const std::shared_ptr<const slot_table>& newest) {
  if (newest->epoch != table_->epoch) {
    guard_.slots_moved(*table_, *newest, config_.self, self_->clock().now());
    handover_.start();
  }
  table_ = newest;
}

caf::error shard::refusal(std::uint32_t slot) {
  if (table_->epoch == 0)
    return make_error(errc::unavailable,
                      "the cluster has not assigned the cache's slots yet");
  auto owner = table_->owner_of(slot);
  auto text = "slot " + std::to_string(slot) + " belongs to ";
  if (owner == config_.self)
    return make_error(errc::wrong_owner,
                      text + "cache_shard/"
                        + std::to_string(slot % config_.shards));
  const auto& members = reader_.get().members;
  auto i = members.find(owner);
  if (i != members.end())
    text += i->second.info.name + " ";
  return make_error(errc::wrong_owner, text + "(" + to_string(owner) + ")");
}

caf::error shard::check_size(const cache_set& x) const {
  if (x.key.size() > config_.max_key_bytes)
    return too_large("key", x.key.size(), config_.max_key_bytes, "bytes");
  if (x.bytes.size() > config_.max_value_bytes)
    return too_large("value", x.bytes.size(), config_.max_value_bytes, "bytes");
  return caf::none;
}

caf::error shard::too_large(std::string field, std::uint64_t size,
                            std::uint64_t bound, std::string_view of) {
  auto detail = "the " + field + " has " + std::to_string(size)
                + " bytes, the limit is " + std::to_string(bound) + " ";
  return make_error(errc::too_large, detail.append(of), std::move(field));
}

caf::result<cache_count> shard::import(const cache_import& x) {
  notice_table();
  // The sender then tries again, by when the table should be here.
  if (x.epoch > table_->epoch)
    return make_error(errc::unavailable, "the slot table of epoch "
                                           + std::to_string(x.epoch)
                                           + " has not arrived here yet");
  cache_count result;
  for (const auto& e : x.entries)
    if (take(e))
      ++result.count;
  return result;
}

/// Takes over an entry of an old owner, unless something newer is known.
bool shard::take(const cache_entry& x) {
  auto now = self_->clock().now();
  return owns(slot_of(x.key)) && !store_.contains(x.key, now)
         && guard_.admits(store::hash(x.key))
         && store_.set(x.key, x.bytes, x.encoding, x.ttl_ms, now);
}

caf::result<cache_value> shard::fetch(const cache_shard_actor& previous,
                                      const std::string& key) {
  auto promise = self_->make_response_promise<cache_value>();
  self_->request(previous, peek_deadline, cache_peek{key})
    .then(
      [this, promise, key](cache_value& found) mutable {
        take({key, found.bytes, found.encoding, found.ttl_ms});
        promise.deliver(std::move(found));
      },
      [promise](const caf::error&) mutable { promise.deliver(absent()); });
  return promise;
}

actor_status shard::status() const {
  const auto& s = store_.stats();
  return {name(),
          {{"epoch", std::to_string(table_->epoch)},
           {"keys", std::to_string(s.keys)},
           {"used_bytes", std::to_string(s.used_bytes)},
           {"max_bytes", std::to_string(s.max_bytes)},
           {"evictions", std::to_string(s.evictions)},
           {"expirations", std::to_string(s.expirations)},
           {"handing_over", handover_.active() ? "true" : "false"},
           {"handed_over", std::to_string(handover_.sent())},
           {"given_up", std::to_string(handover_.dropped())}}};
}

void shard::follow_table() {
  notice_table();
  hand_over();
}

std::chrono::milliseconds shard::work() {
  notice_table();
  auto now = self_->clock().now();
  bool many_expired = false;
  if (now >= next_sweep_) {
    auto removed = store_.sweep(sweep_positions, now);
    many_expired = removed > sweep_positions / 4;
    next_sweep_ = many_expired ? now : now + config_.sweep_interval;
  }
  hand_over();
  bool searching = handover_.ready(self_->clock().now());
  return many_expired || searching ? soon : config_.retry_interval;
}

handover::route shard::make_route() {
  return [this](std::string_view key) -> std::optional<shard_address> {
    auto slot = slot_of(key);
    if (owns(slot))
      return std::nullopt;
    return address_of(slot, table_->owner_of(slot));
  };
}

shard_address shard::address_of(std::uint32_t slot, member_id node) {
  const auto& members = reader_.get().members;
  auto i = members.find(node);
  auto shards = i == members.end() ? 1 : i->second.info.io_threads;
  return {node, slot % std::max(shards, 1u)};
}

cache_shard_actor shard::shard_at(const shard_address& where) const {
  return names_->peer<cache_shard_actor>(
    where.node, "cache_shard/" + std::to_string(where.shard));
}

void shard::hand_over() {
  if (!handover_.active())
    return;
  auto now = self_->clock().now();
  if (auto batch = handover_.next(store_, make_route(), now))
    send_batch(std::move(*batch));
}

void shard::send_batch(handover::batch what) {
  auto target = shard_at(what.to);
  auto failed = [this](const caf::error&) {
    handover_.failed(self_->clock().now());
  };
  if (!target) {
    failed({});
    return;
  }
  self_
    ->request(target, import_deadline,
              cache_import{table_->epoch, std::move(what.entries)})
    .then(
      [this](cache_count) {
        handover_.acknowledged(store_, make_route());
        hand_over();
      },
      failed);
}

struct cache_shard_state {
  static inline const char* name = "cache_shard";

  std::unique_ptr<shard> core;
};

cache_shard_actor::behavior_type
cache_shard(cache_shard_actor::stateful_pointer<cache_shard_state> self,
            const cache_shard_config& config, const cluster_view& view,
            const directory_ptr& names, const lease_ptr& roles) {
  outlive_strays(self);
  self->state.core = std::make_unique<shard>(self, config, view, names, roles);
  auto* core = self->state.core.get();
  notify_of_changes(view, self->address());
  self->send(self, tick{});
  return {
    [core](const cache_get& x) { return core->get(x); },
    [core](const cache_peek& x) { return core->peek(x); },
    [core](const cache_set& x) { return core->set(x); },
    [core](const cache_delete& x) { return core->erase(x); },
    [core](cache_clear) { return core->clear(); },
    [core](const cache_import& x) { return core->import(x); },
    [core](get_cache_stats) { return core->stats(); },
    [core](state_changed) { core->follow_table(); },
    [self, core](tick) { self->delayed_send(self, core->work(), tick{}); },
    [core](get_status) { return core->status(); },
  };
}

} // namespace

caf::error cache_shard_config::validate() const {
  auto invalid = [](std::string detail, std::string field) {
    return make_error(errc::invalid_field, std::move(detail), std::move(field));
  };
  if (self == member_id::none)
    return invalid("must not be zero", "self");
  if (shards == 0 || index >= shards)
    return invalid("must be below the number of shards", "index");
  if (max_entries == 0 || max_entries >= UINT32_MAX)
    return invalid("must be between 1 and 4294967294", "max_entries");
  if (max_bytes < 1024)
    return invalid("must be at least 1024", "max_bytes");
  if (max_key_bytes == 0 || max_key_bytes > entry::max_key_bytes)
    return invalid("must be between 1 and "
                     + std::to_string(entry::max_key_bytes),
                   "max_key_bytes");
  if (max_value_bytes == 0 || max_value_bytes > entry::max_value_bytes)
    return invalid("must be between 1 and "
                     + std::to_string(entry::max_value_bytes),
                   "max_value_bytes");
  if (sweep_interval.count() <= 0)
    return invalid("must be positive", "sweep_interval");
  if (retry_interval.count() <= 0)
    return invalid("must be positive", "retry_interval");
  return caf::none;
}

cache_shard_actor spawn_cache_shard(caf::actor_system& system,
                                    cache_shard_config config,
                                    cluster_view view, directory_ptr names,
                                    lease_ptr roles) {
  return system.spawn(cache_shard, config, std::move(view), std::move(names),
                      std::move(roles));
}

} // namespace troupe

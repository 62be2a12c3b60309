#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include "messages/cluster_state.hpp"
#include "messages/published.hpp"

namespace troupe {

/// Actors by name.
using actor_names = std::map<std::string, caf::strong_actor_ptr, std::less<>>;

/// Where named actors live: on this node (`balancer`, `cache_shard/0`) and on
/// the peers with which a session stands (`balancer` on member X). One per
/// node; the supervisor writes the local part, the peering actor the peers'.
/// Look a name up each time: a restarted actor has a new handle.
class directory {
public:
  /// What is known at one moment.
  struct snapshot {
    actor_names local;
    std::map<member_id, actor_names> peers;
  };

  /// Thread-safe.
  void put(const std::string& name, caf::strong_actor_ptr who);
  void erase(const std::string& name);
  void put_peer(member_id peer, actor_names names);
  void erase_peer(member_id peer);
  /// Of all peers.
  void erase_peers();

  std::shared_ptr<const snapshot> get() const { return current_->get(); }

  /// Grows with each change.
  std::uint64_t version() const { return current_->version(); }

  /// A reader for a hot path, one per thread.
  published_reader<snapshot> reader() const {
    return published_reader<snapshot>{current_};
  }

  /// The local actor of that name, or an invalid handle. The caller vouches
  /// for its type.
  template <class Handle>
  Handle local(std::string_view name) const {
    return find<Handle>(get()->local, name);
  }

  /// That actor of a peer, or an invalid handle.
  template <class Handle>
  Handle peer(member_id id, std::string_view name) const {
    auto now = get();
    auto i = now->peers.find(id);
    return i == now->peers.end() ? Handle{} : find<Handle>(i->second, name);
  }

  template <class Handle>
  static Handle find(const actor_names& names, std::string_view name) {
    auto i = names.find(name);
    return i == names.end() ? Handle{} : caf::actor_cast<Handle>(i->second);
  }

private:
  template <class Change>
  void update(Change change);

  std::mutex writers_;
  std::shared_ptr<published<snapshot>> current_ =
    std::make_shared<published<snapshot>>();
};

using directory_ptr = std::shared_ptr<directory>;

} // namespace troupe

#include "messages/directory.hpp"

#include <mutex>

namespace troupe {

template <class Change>
void directory::update(Change change) {
  std::lock_guard guard{writers_};
  auto next = *current_->get();
  change(next);
  current_->set(std::move(next));
}

void directory::put(const std::string& name, caf::strong_actor_ptr who) {
  update([&](snapshot& next) { next.local[name] = std::move(who); });
}

void directory::erase(const std::string& name) {
  update([&](snapshot& next) { next.local.erase(name); });
}

void directory::put_peer(member_id peer, actor_names names) {
  update([&](snapshot& next) { next.peers[peer] = std::move(names); });
}

void directory::erase_peer(member_id peer) {
  update([&](snapshot& next) { next.peers.erase(peer); });
}

void directory::erase_peers() {
  update([](snapshot& next) { next.peers.clear(); });
}

} // namespace troupe

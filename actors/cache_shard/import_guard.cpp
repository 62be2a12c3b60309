#include "actors/cache_shard/import_guard.hpp"

namespace troupe {

void import_guard::slots_moved(const slot_table& before, const slot_table& now,
                               member_id self, time_point at) {
  if (!until_ || at >= *until_)
    forget();
  // With a table missed between the two, any slot may have been elsewhere; so
  // too for a node that has just joined.
  bool missed = now.epoch != before.epoch + 1;
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    if (now.owner_of(slot) != self)
      continue;
    auto previous = before.owner_of(slot);
    auto elsewhere = previous != self && previous != member_id::none;
    if (missed || elsewhere)
      gained_.set(slot);
    if (elsewhere)
      previous_[slot] = previous;
  }
  if (gained_.none())
    return;
  until_ = at + window;
  arrived_by_ = at + handover_time;
}

void import_guard::cleared() {
  if (until_)
    closed_ = true;
}

bool import_guard::admits(std::uint64_t hash) const {
  return !closed_ && !touched_.contains(hash);
}

std::optional<member_id>
import_guard::previous_owner(std::uint32_t slot, std::uint64_t hash) const {
  auto i = previous_.find(slot);
  if (i == previous_.end() || !admits(hash))
    return std::nullopt;
  return i->second;
}

void import_guard::remember(std::uint64_t hash, time_point at) {
  if (at >= *until_)
    forget();
  else if (touched_.size() < max_touched)
    touched_.insert(hash);
  else
    closed_ = true;
}

void import_guard::forget() {
  until_.reset();
  gained_.reset();
  previous_ = {};
  touched_ = {};
  closed_ = false;
}

} // namespace troupe

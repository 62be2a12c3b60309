#include "actors/cache_shard/handover.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr std::chrono::milliseconds first_delay{100};
constexpr std::chrono::milliseconds longest_delay{2000};

} // namespace

void handover::start() {
  active_ = true;
  restart_ = under_way_;
  if (under_way_)
    return;
  from_ = 0;
  target_.reset();
  others_ = false;
  attempts_ = 0;
  not_before_ = {};
  given_up_.clear();
}

std::optional<handover::batch>
handover::next(store& entries, const route& owner, time_point now) {
  if (!ready(now))
    return std::nullopt;
  batch result;
  std::size_t bytes = 0;
  std::vector<std::size_t> hopeless;
  auto take = [&](std::size_t position, const entry& x) {
    auto to = owner(x.key());
    if (!to || x.expired(now))
      return true;
    if (given_up_.contains(to->node)) {
      hopeless.push_back(position);
      return true;
    }
    if (!target_)
      target_ = to;
    if (*target_ != *to) {
      others_ = true;
      return true;
    }
    if (bytes > 0 && bytes + x.size() > batch_bytes)
      return false;
    bytes += x.size();
    result.entries.push_back({std::string{x.key()}, std::string{x.value()},
                              x.encoding(), x.ttl_ms(now)});
    return true;
  };
  resume_at_ = entries.visit(from_, from_ + positions_per_step, take);
  for (auto position : hopeless)
    entries.drop(position);
  dropped_ += hopeless.size();
  if (result.entries.empty()) {
    from_ = resume_at_;
    if (from_ >= entries.positions())
      end_of_pass();
    return std::nullopt;
  }
  result.to = *target_;
  for (auto& x : result.entries)
    keys_under_way_.push_back(x.key);
  under_way_ = true;
  return result;
}

void handover::acknowledged(store& entries, const route& owner) {
  for (auto& key : keys_under_way_)
    if (owner(key))
      entries.drop(std::string_view{key});
  sent_ += keys_under_way_.size();
  keys_under_way_.clear();
  under_way_ = false;
  attempts_ = 0;
  from_ = resume_at_;
  if (restart_)
    start();
}

void handover::failed(time_point now) {
  keys_under_way_.clear();
  under_way_ = false;
  if (restart_) {
    start();
    return;
  }
  auto delay = std::min(first_delay * (1 << attempts_), longest_delay);
  not_before_ = now + delay;
  if (++attempts_ < max_attempts)
    return;
  given_up_.insert(target_->node);
  attempts_ = 0;
  not_before_ = {};
}

void handover::end_of_pass() {
  from_ = 0;
  target_.reset();
  active_ = others_;
  others_ = false;
}

} // namespace troupe

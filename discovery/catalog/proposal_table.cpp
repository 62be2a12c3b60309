#include "discovery/catalog/proposal_table.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

constexpr raft_time first_backoff{10};
constexpr raft_time longest_backoff{320};

} // namespace

void proposal_table::add(std::uint64_t sequence, std::string bytes,
                         raft_time now, raft_time deadline, callback done) {
  auto& x = proposals_[sequence];
  x.bytes = std::move(bytes);
  x.deadline = deadline;
  x.due = now;
  x.done = std::move(done);
  waiting_.insert(sequence);
}

std::vector<proposal_table::attempt>
proposal_table::take_due(raft_time now, member_id leader) {
  std::vector<attempt> result;
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    auto& x = proposals_.at(*i);
    // What is too late was perhaps meant for another time: this process may
    // have been stopped.
    if (x.due > now || x.deadline <= now) {
      ++i;
      continue;
    }
    x.sent_to = leader;
    result.push_back({*i, ++x.attempts, &x.bytes});
    i = waiting_.erase(i);
  }
  return result;
}

void proposal_table::retry_later(std::uint64_t sequence, proposal& x,
                                 raft_time now) {
  auto ceiling =
    std::min(longest_backoff, first_backoff * (1 << std::min(x.failures, 8u)));
  auto jitter = random_() % static_cast<std::uint32_t>(ceiling.count());
  ++x.failures;
  x.sent_to = member_id::none;
  x.due = now + first_backoff + raft_time{jitter};
  waiting_.insert(sequence);
}

void proposal_table::failed(std::uint64_t sequence, std::uint32_t number,
                            raft_time now) {
  auto i = proposals_.find(sequence);
  if (i != proposals_.end() && i->second.attempts == number
      && i->second.sent_to != member_id::none && !i->second.result)
    retry_later(sequence, i->second, now);
}

void proposal_table::leader_is(member_id leader, raft_time now) {
  for (auto& [sequence, x] : proposals_) {
    if (x.result || (x.sent_to == leader && leader != member_id::none))
      continue;
    x.sent_to = member_id::none;
    x.due = now;
    x.failures = 0;
    waiting_.insert(sequence);
  }
}

void proposal_table::peer_lost(member_id peer, raft_time now) {
  for (auto& [sequence, x] : proposals_)
    if (x.sent_to == peer && !x.result)
      retry_later(sequence, x, now);
}

void proposal_table::answered(std::uint64_t sequence, apply_result result) {
  auto i = proposals_.find(sequence);
  if (i == proposals_.end())
    return;
  i->second.result = std::move(result);
  waiting_.erase(sequence);
}

void proposal_table::reached(std::uint64_t applied_index) {
  std::vector<std::uint64_t> complete;
  for (auto& [sequence, x] : proposals_)
    if (x.result && x.result->index <= applied_index)
      complete.push_back(sequence);
  for (auto sequence : complete)
    finish(sequence, *proposals_.at(sequence).result);
}

void proposal_table::expire(raft_time now, const caf::error& reason) {
  std::vector<std::uint64_t> late;
  for (auto& [sequence, x] : proposals_)
    if (x.deadline <= now)
      late.push_back(sequence);
  for (auto sequence : late)
    finish(sequence, reason);
}

std::optional<raft_time> proposal_table::next_due(bool has_leader) const {
  if (empty())
    return std::nullopt;
  auto result = proposals_.begin()->second.deadline;
  if (has_leader)
    for (auto sequence : waiting_)
      result = std::min(result, proposals_.at(sequence).due);
  return result;
}

void proposal_table::finish(std::uint64_t sequence,
                            caf::expected<apply_result> result) {
  auto i = proposals_.find(sequence);
  if (i == proposals_.end())
    return;
  // The callback may propose again.
  auto done = std::move(i->second.done);
  proposals_.erase(i);
  waiting_.erase(sequence);
  done(std::move(result));
}

} // namespace troupe

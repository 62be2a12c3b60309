#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "discovery/membership/membership_state.hpp"

// Why this node is no member that may act: in words, for `/ready` and the log.

namespace troupe {

namespace {

/// What passes sooner is no news.
constexpr std::chrono::seconds worth_a_line{3};

} // namespace

std::set<member_id> membership_state::connected_peers() const {
  std::set<member_id> result;
  for (auto& [id, info] : peers_)
    result.insert(id);
  return result;
}

std::string membership_state::obstacle(const cluster_state& state) const {
  if (dismissed_)
    return "the cluster has removed this node: " + dismissed_because_
           + "; with an empty data directory it joins as a new one";
  if (!refused_because_.empty())
    return "the cluster refuses this node: " + refused_because_;
  if (state.cluster_uuid.empty()
      && sources_.own_identity->get().cluster_uuid.empty())
    return founding_->explain(connected_peers());
  if (state.leader == member_id::none)
    return explain_leaderless(state);
  if (!is_registered(state))
    return "waits for the leader to take this node in";
  return {};
}

std::string
membership_state::explain_leaderless(const cluster_state& state) const {
  std::size_t voters = 0;
  std::size_t connected = 0;
  std::vector<std::string> missing;
  for (auto& [id, who] : state.members) {
    if (who.role != raft_role::voter)
      continue;
    ++voters;
    if (id == config_.self.id || peers_.contains(id))
      ++connected;
    else
      missing.push_back(who.info.name);
  }
  if (voters == 0)
    return fmt::format("has not heard from its cluster yet, connected to {} "
                       "node(s)",
                       peers_.size());
  if (connected > voters / 2)
    return "waits for the outcome of an election";
  return fmt::format(
    "there is no quorum: of {} voters {} are connected, {} are "
    "needed; start {}",
    voters, connected, voters / 2 + 1, fmt::join(missing, " or "));
}

void membership_state::tell_obstacle(const cluster_state& state) {
  auto present = obstacle(state);
  if (*sources_.obstacle->get() != present) {
    obstacle_since_ = now();
    obstacle_logged_ = present.empty();
    sources_.obstacle->set(std::move(present));
    return;
  }
  if (obstacle_logged_ || now() - obstacle_since_ < worth_a_line)
    return;
  obstacle_logged_ = true;
  spdlog::warn("membership: {}", present);
}

} // namespace troupe

#include "discovery/membership/founding.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace troupe {

founding::founding(member_id self, std::uint32_t expected, pledge_record known,
                   keep_function keep)
  : self_(self), expected_(expected), own_(known),
    keep_(std::move(keep)), pledged_{self} {
}

caf::error founding::keep(const pledge_record& next) {
  if (auto problem = keep_(next))
    return problem;
  own_ = next;
  return caf::none;
}

bool founding::leaves_it_to_another(const std::set<member_id>& peers,
                                    steady_time now) {
  auto smallest = peers.empty() ? self_ : std::min(self_, *peers.begin());
  if (!smallest_since_ || std::exchange(smallest_, smallest) != smallest)
    smallest_since_ = now;
  smallest_ = smallest;
  auto asked =
    rival_ != member_id::none && rival_ < self_ && now - rival_asked_ < fresh;
  return asked || (smallest < self_ && now - *smallest_since_ < patience);
}

std::size_t founding::would_follow(const std::set<member_id>& peers,
                                   steady_time now) const {
  return static_cast<std::size_t>(
    std::count_if(would_follow_.begin(), would_follow_.end(), [&](auto& x) {
      return now - x.second < fresh && peers.contains(x.first);
    }));
}

caf::expected<std::optional<founding::question>>
founding::next_question(const std::set<member_id>& peers, steady_time now) {
  std::optional<question> nothing;
  if (own_.founds)
    return nothing;
  if (own_.pledged_to == member_id::none) {
    if (expected_ == 0 || peers.size() + 1 < expected_
        || leaves_it_to_another(peers, now))
      return nothing;
    if (would_follow(peers, now) + 1 < expected_) {
      asked_ = now;
      return std::optional{question{}};
    }
    if (auto problem = keep({self_, false}))
      return problem;
  }
  if (own_.pledged_to != self_)
    return nothing;
  if (pledged_.size() < expected_)
    return std::optional{question{true, pledges()}};
  if (auto problem = keep({self_, true}))
    return problem;
  return nothing;
}

std::vector<pledge> founding::pledges() const {
  std::vector<pledge> result;
  for (auto voter : pledged_)
    result.push_back({voter, self_, true});
  return result;
}

bool founding::may_move_to(const pledge_request& x) const {
  auto before = own_.pledged_to;
  if (own_.founds)
    return false;
  return before == member_id::none || (before == self_ && x.founder.id < self_)
         || std::any_of(x.pledges.begin(), x.pledges.end(),
                        [&](auto& other) { return other.voter == before; });
}

caf::expected<pledge> founding::answer(const pledge_request& x,
                                       steady_time now) {
  auto founder = x.founder.id;
  if (x.binding && founder != self_ && founder != own_.pledged_to
      && may_move_to(x)) {
    if (auto problem = keep({founder, false}))
      return problem;
    pledged_ = {self_};
  }
  if (x.binding || own_.pledged_to != member_id::none)
    return pledge{self_, own_.pledged_to, true};
  if (rival_ == member_id::none || founder <= rival_
      || now - rival_asked_ >= fresh) {
    rival_ = founder;
    rival_asked_ = now;
  }
  auto asks = asked_ && now - *asked_ < fresh;
  return pledge{self_, asks ? std::min(self_, rival_) : rival_, false};
}

bool founding::count(const pledge& x, steady_time now) {
  lost(x.voter);
  if (own_.founds || x.to != self_)
    return false;
  if (x.binding)
    pledged_.insert(x.voter);
  would_follow_[x.voter] = now;
  auto enough =
    own_.pledged_to == self_ ? pledged_.size() : would_follow_.size() + 1;
  return enough >= expected_;
}

std::string founding::explain(const std::set<member_id>& peers) const {
  auto founder = own_.pledged_to;
  if (own_.founds)
    return "founds the cluster";
  if (founder != member_id::none && founder != self_)
    return peers.contains(founder)
             ? fmt::format("waits for {} to found the cluster",
                           to_string(founder))
             : fmt::format("has pledged to follow {} in founding the cluster, "
                           "which is not connected: start that node, or, if "
                           "its disk is lost, empty this node's data directory",
                           to_string(founder));
  if (expected_ == 0 && peers.empty())
    return "waits to be taken in by a cluster, but is connected to no other "
           "node: check the addresses that it looks at (discovery)";
  if (expected_ == 0)
    return fmt::format("waits to be taken in by a cluster, but none of the {} "
                       "connected node(s) is in one, and with "
                       "cluster.expectedNodes 1 this one founds none: set it "
                       "to the number of nodes",
                       peers.size());
  if (peers.size() + 1 < expected_)
    return fmt::format("waits for {} more node(s) to found a cluster, {} of "
                       "cluster.expectedNodes {} are connected: start them, "
                       "check the addresses that it looks at (discovery), or "
                       "lower cluster.expectedNodes",
                       expected_ - peers.size() - 1, peers.size() + 1,
                       expected_);
  return "waits for the connected nodes to agree on who founds the cluster";
}

void founding::lost(member_id peer) {
  would_follow_.erase(peer);
  if (peer != self_)
    pledged_.erase(peer);
}

} // namespace troupe

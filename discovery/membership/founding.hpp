#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "discovery/identity/identity.hpp"
#include "discovery/membership/verdicts.hpp"
#include "messages/cluster.hpp"

namespace troupe {

/// How nodes without a cluster agree on the one that founds it, as
/// docs/decisions/0002 says. Pure: time, messages and the disk are arguments.
///
/// The smallest id among the connected is to ask. Where it does not, because it
/// follows a founder that is gone or waits for others, the next one does.
///
///     enough peers ──▶ asks who would follow it ──enough──▶ pledged to itself
///       ▲ a smaller id asks │                                 │ asks for
///       pledges └───────────────────┘             enough of them: decided,
///       founds
///
/// A pledge is on disk. One to another node is passed on with that node's own:
/// who has pledged to somebody else never founds, so those who followed it are
/// free to follow that one.
class founding {
public:
  /// Puts a pledge on disk, and whether this node founds. Errors:
  /// storage_failed.
  using keep_function = std::function<caf::error(const pledge_record&)>;

  /// What a founder asks all others now.
  struct question {
    /// Whether it asks for pledges, not just for who would give one.
    bool binding = false;
    std::vector<pledge> pledges;
  };

  /// @param expected nodes that must pledge, the founder among them; 0: this
  /// node founds nothing.
  founding(member_id self, std::uint32_t expected, pledge_record known,
           keep_function keep);

  /// What to ask `peers` now; nothing where others are to ask, or once this
  /// node founds. Errors: those of `keep`.
  caf::expected<std::optional<question>>
  next_question(const std::set<member_id>& peers, steady_time now);

  /// What this node says to a founder. Errors: those of `keep`.
  caf::expected<pledge> answer(const pledge_request& x, steady_time now);

  /// Counts what a node said. Returns whether the next question is due for it.
  bool count(const pledge& x, steady_time now);

  /// The connection to a node ended.
  void lost(member_id peer);

  /// What it waits for and what would help, for people.
  std::string explain(const std::set<member_id>& peers) const;

  /// Whether this node founds the cluster, by all means and for good.
  bool decided() const { return own_.founds; }

  /// Whom this node follows; none: nobody yet.
  member_id pledged_to() const { return own_.pledged_to; }

private:
  /// For so long it counts that a node asked, or would follow.
  static constexpr std::chrono::milliseconds fresh{1000};

  /// For so long a smaller id may take to ask.
  static constexpr std::chrono::milliseconds patience{3000};

  caf::error keep(const pledge_record& next);
  std::vector<pledge> pledges() const;
  bool may_move_to(const pledge_request& x) const;
  bool leaves_it_to_another(const std::set<member_id>& peers, steady_time now);
  std::size_t would_follow(const std::set<member_id>& peers,
                           steady_time now) const;

  member_id self_;
  std::uint32_t expected_;
  pledge_record own_;
  keep_function keep_;
  /// The smallest id that asked.
  member_id rival_ = member_id::none;
  steady_time rival_asked_;
  /// The smallest id that is connected, and since when.
  member_id smallest_ = member_id::none;
  std::optional<steady_time> smallest_since_;
  std::optional<steady_time> asked_;
  std::map<member_id, steady_time> would_follow_;
  std::set<member_id> pledged_;
};

} // namespace troupe

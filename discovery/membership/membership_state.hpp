#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "discovery/catalog/catalog.hpp"
#include "discovery/membership/founding.hpp"
#include "discovery/membership/local_health.hpp"
#include "discovery/membership/membership.hpp"
#include "discovery/membership/seats.hpp"

namespace troupe {

/// The membership's body. Not for inclusion from outside of this folder.
/// `membership.cpp` has the messages, `joining.cpp`, `leading.cpp` and
/// `leaving.cpp` a part of its life each.
class membership_state {
public:
  using pointer = membership_actor::stateful_pointer<membership_state>;
  using milliseconds = std::chrono::milliseconds;

  static inline const char* name = "membership";

  static constexpr milliseconds tick_interval{200};
  static constexpr milliseconds retry_interval{250};
  static constexpr milliseconds request_timeout{3000};

  explicit membership_state(pointer self) : self_(self) {}

  void start(membership_config config, membership_sources sources);

  // -- messages ---------------------------------------------------------------

  void connected(const peer_up& news);
  void disconnected(const peer_down& news);
  void reset_sessions();
  caf::result<pledge> promise_to(const pledge_request& x);
  caf::result<done> take_in(const join_request& x);
  caf::result<done> let_go(const leave_request& x);
  caf::result<lease_grant> grant(const renew_lease& x);
  caf::result<probe_report> probe(const probe_request& x);
  void hear(const probe_report& x);
  pong answer_ping() const { return {config_.self.incarnation}; }
  /// Does what is due after a change of the state or of the links.
  void act();
  void on_tick();
  actor_status status() const;

private:
  /// A member on its way out, and who wants to know when it is.
  struct departure {
    member_id who = member_id::none;
    caf::typed_response_promise<done> promise;
  };

  steady_time now() const { return self_->clock().now(); }
  milliseconds jittered(milliseconds base);
  catalog_actor catalog() const;
  membership_actor membership_of(member_id peer) const;

  // Getting in, and staying.
  const member* own_entry(const cluster_state& state) const;
  bool is_registered(const cluster_state& state) const;
  /// Whether the member has been started again since.
  static bool is_outdated(const cluster_state& state, member_id who,
                          std::uint64_t incarnation);
  void bind(const cluster_state& state);
  void warn_of_routes(const cluster_state& state);
  void seek(const cluster_state& state);
  void join_at(const membership_actor& member);
  void found();
  void ask_for_pledges(const founding::question& what);
  void bootstrap();
  caf::result<done> propose_for_caller(command_body body);
  void renew(const cluster_state& state);
  void accept(const lease_grant& given, steady_time sent_at);
  member_id any_peer();
  void obey_dismissal(const std::string& reason);

  // Telling people.
  std::set<member_id> connected_peers() const;
  std::string obstacle(const cluster_state& state) const;
  std::string explain_leaderless(const cluster_state& state) const;
  void tell_obstacle(const cluster_state& state);

  // Leading.
  void lead(const cluster_state& state);
  void begin_to_lead();
  void stop_leading();
  absences note_absences(const cluster_state& state);
  void judge(const cluster_state& state);
  void ask_witnesses(const cluster_state& state, member_id about);
  template <class Command>
  void propose_about(member_id who, const Command& what, std::uint64_t term);
  void change_role(const cluster_state& state, const absences& gone);
  void settle_departures(const cluster_state& state);

  // Leaving.
  void leave(const cluster_state& state);
  void hand_over();
  bool is_last_voter(const cluster_state& state) const;
  void say_goodbye(const membership_actor& leading);

  pointer self_;
  membership_config config_;
  membership_sources sources_;
  std::mt19937_64 random_;
  local_health health_;

  std::map<member_id, evidence> known_;
  std::map<member_id, node_info> peers_;

  std::optional<founding> founding_;
  bool bootstrapping_ = false;
  bool seeking_ = false;
  /// The last refusal, so that each is logged once.
  std::string refused_because_;
  std::string routes_warning_;
  /// Since when the obstacle is what it is, and whether it stands in the log.
  steady_time obstacle_since_;
  bool obstacle_logged_ = true;
  std::string dismissed_because_;
  bool bound_ = false;
  bool dismissed_ = false;
  bool renewing_ = false;
  steady_time next_attempt_;
  steady_time next_renewal_;

  std::optional<steady_time> leader_since_;
  std::set<member_id> proposed_;
  /// Since when this leader holds members to be down or left.
  std::map<member_id, steady_time> gone_since_;
  bool changing_role_ = false;
  steady_time next_role_change_;
  std::map<member_id, steady_time> next_question_;
  std::vector<departure> departures_;

  std::optional<departure> own_departure_;
  /// This process takes no role any more.
  bool said_goodbye_ = false;
  bool handing_over_ = false;
  steady_time next_goodbye_;
};

template <class Command>
void membership_state::propose_about(member_id who, const Command& what,
                                     std::uint64_t term) {
  // One proposal per member at a time; what still holds is proposed again.
  auto target = sources_.names->local<proposer_actor>("catalog");
  if (!target || !proposed_.insert(who).second)
    return;
  self_->request(target, request_timeout, propose{what, term})
    .then(
      [this, who, seen = sources_.view->version()](const apply_result&) {
        proposed_.erase(who);
        // The next verdict on it may be due by now.
        if (sources_.view->version() != seen)
          act();
      },
      [this, who](const caf::error&) { proposed_.erase(who); });
}

} // namespace troupe

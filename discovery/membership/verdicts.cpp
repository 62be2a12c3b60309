#include "discovery/membership/verdicts.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// Independent confirmations after which a suspect gets the shortest time.
constexpr std::size_t wanted_confirmations = 3;

/// Witnesses that a verdict names; it counts the others.
constexpr std::size_t most_named = 3;

/// How much earlier than the leader another member may notice an end.
constexpr milliseconds noticed_earlier{500};

set_verdict give(const member& about, verdict state, std::string reason,
                 member_id by) {
  return {about.info.id, about.info.incarnation, state, std::move(reason), by};
}

/// What the witnesses said since the leader lost contact.
struct testimony {
  std::vector<std::string> reaching;
  std::vector<std::string> failing;
  bool refused = false;
};

/// One member's case.
class hearing {
public:
  hearing(const cluster_state& state, const member& about,
          const evidence& known, const observer& by,
          const verdict_timers& timers, std::size_t possible_witnesses)
    : state_(state), about_(about), known_(known), by_(by), timers_(timers),
      possible_witnesses_(possible_witnesses) {}

  /// Whether the member shows signs of life.
  bool in_contact() const {
    return connected()
           && by_.now - last_contact() < timers_.suspect_after * by_.patience;
  }

  std::optional<set_verdict> judge() const {
    auto said = hear();
    if (proved_gone(said))
      return give(about_, verdict::down, explain(said), by_.self);
    if (by_.now - last_contact() >= limit(said))
      return give(about_, verdict::down, explain(said), by_.self);
    // A leader that was just elected has not met everyone yet.
    auto expected =
      by_.now - by_.leader_since < timers_.suspect_after * by_.patience
      && !known_.heard && known_.link.incarnation == 0;
    if (about_.state == verdict::alive && !expected)
      return give(about_, verdict::suspect, cause(), by_.self);
    return std::nullopt;
  }

private:
  bool connected() const {
    return known_.link.connected
           && known_.link.incarnation == about_.info.incarnation;
  }

  /// The last sign of life. That a link ended is none.
  steady_time last_contact() const {
    auto last = known_.heard ? *known_.heard : known_.link.made;
    return std::max(by_.leader_since, std::max(last, known_.link.made));
  }

  testimony hear() const {
    testimony result;
    for (auto& [id, said] : known_.witnesses) {
      auto slack =
        said.found == reach::reachable ? milliseconds{0} : noticed_earlier;
      if (said.at + slack < last_contact())
        continue;
      auto i = state_.members.find(id);
      auto name =
        i == state_.members.end() ? to_string(id) : i->second.info.name;
      auto& side =
        said.found == reach::reachable ? result.reaching : result.failing;
      side.push_back(std::move(name));
      result.refused |= said.found == reach::refused;
    }
    return result;
  }

  /// Nobody lives at its address, and, where there is anyone else to ask, not
  /// only this node finds so.
  bool proved_gone(const testimony& said) const {
    return known_.link.refused && !connected() && said.reaching.empty()
           && (said.refused || possible_witnesses_ == 0);
  }

  /// How long it may stay silent.
  milliseconds limit(const testimony& said) const {
    auto least = timers_.down_after * by_.patience;
    auto most = least * timers_.doubt_factor;
    if (possible_witnesses_ == 0)
      return least;
    if (!said.reaching.empty())
      return most;
    auto wanted = std::min(wanted_confirmations, possible_witnesses_);
    auto share = std::log(said.failing.size() + 1.0) / std::log(wanted + 1.0);
    auto span = static_cast<double>((most - least).count());
    return most
           - milliseconds{
             static_cast<milliseconds::rep>(span * std::min(share, 1.0))};
  }

  std::string cause() const {
    if (connected())
      return "no sign of life";
    return known_.link.reason.empty() ? "no connection" : known_.link.reason;
  }

  std::string explain(const testimony& said) const {
    auto silence =
      std::chrono::duration_cast<milliseconds>(by_.now - last_contact());
    auto result = cause();
    if (known_.link.refused && !connected())
      result += "; new connections are refused";
    else
      result += "; silent for " + std::to_string(silence.count()) + " ms";
    result += list(said.failing, " does not reach it either");
    result += list(said.reaching, " reaches it, the leader does not");
    return result;
  }

  static std::string list(const std::vector<std::string>& names,
                          std::string_view what) {
    std::string result;
    auto named = std::min(names.size(), most_named);
    for (std::size_t i = 0; i < named; ++i)
      result += "; " + names[i] + std::string{what};
    if (names.size() > named)
      result += "; " + std::to_string(names.size() - named) + " others too";
    return result;
  }

  const cluster_state& state_;
  const member& about_;
  const evidence& known_;
  const observer& by_;
  const verdict_timers& timers_;
  std::size_t possible_witnesses_;
};

/// Members that could say something of others: alive and linked to the leader.
std::vector<member_id>
possible_witnesses(const cluster_state& state,
                   const std::map<member_id, evidence>& known, member_id self) {
  std::vector<member_id> result;
  for (auto& [id, seen] : known) {
    auto i = state.members.find(id);
    if (id != self && seen.link.connected && i != state.members.end()
        && i->second.state == verdict::alive
        && i->second.info.incarnation == seen.link.incarnation)
      result.push_back(id);
  }
  return result;
}

} // namespace

judgement judge_members(const cluster_state& state,
                        const std::map<member_id, evidence>& known,
                        const observer& by, const verdict_timers& timers) {
  static const evidence nothing;
  auto witnesses = possible_witnesses(state, known, by.self);
  judgement result;
  for (auto& [id, about] : state.members) {
    if (about.state == verdict::down || about.state == verdict::left)
      continue;
    if (id == by.self) {
      // Suspected by the leader before; nobody else could lift that now.
      if (about.state == verdict::suspect)
        result.verdicts.push_back(
          give(about, verdict::alive, "leads the cluster", by.self));
      continue;
    }
    auto i = known.find(id);
    auto others = witnesses.size()
                  - static_cast<std::size_t>(
                    std::count(witnesses.begin(), witnesses.end(), id));
    hearing its{state, about,  i == known.end() ? nothing : i->second,
                by,    timers, others};
    if (its.in_contact()) {
      if (about.state == verdict::suspect)
        result.verdicts.push_back(
          give(about, verdict::alive, "contact restored", by.self));
      continue;
    }
    result.doubtful.push_back(id);
    if (auto given = its.judge())
      result.verdicts.push_back(std::move(*given));
  }
  return result;
}

} // namespace troupe

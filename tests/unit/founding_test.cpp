#define CAF_SUITE founding

#include "discovery/membership/founding.hpp"

#include <algorithm>
#include <deque>
#include <numeric>
#include <random>

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{};

node_info named(std::uint64_t id) {
  node_info result;
  result.id = member_id{id};
  return result;
}

pledge_request request_of(std::uint64_t id, bool binding,
                          std::vector<pledge> pledges = {}) {
  return {named(id), "troupe", binding, std::move(pledges)};
}

founding::keep_function keeps_nothing() {
  return [](const pledge_record&) { return caf::error{}; };
}

/// What becomes of the node that dies in the middle of it.
enum class fate { none, comes_back, lost };

/// Nodes without a cluster on a network with delays of its own. Nobody ever
/// hears that the cluster stands, so whoever could found a second one does.
class simulation {
public:
  using milliseconds = std::chrono::milliseconds;

  simulation(std::vector<std::uint64_t> ids, std::uint32_t expected,
             std::uint32_t seed)
    : random_(seed), expected_(expected) {
    for (auto id : ids)
      nodes_.push_back({member_id{id}, up_to(2000ms), {}, {}, {}, {}});
  }

  /// One of them ends at some time while they are at it: each second time the
  /// first that asks for pledges, before they have arrived or when they have.
  void kill_one(fate what) {
    fate_ = what;
    victim_ = random_() % nodes_.size();
    kills_founder_ = random_() % 2 == 0;
    dies_ = kills_founder_ ? 60s : up_to(4000ms);
    returns_ = kills_founder_ ? 7s : dies_ + 500ms + up_to(3000ms);
    if (what == fate::lost)
      nodes_.push_back(
        {member_id{random_() % 100 * 10 + 5}, returns_, {}, {}, {}, {}});
  }

  /// All at once, on a network that is there.
  void start_together() {
    is_steady_ = true;
    for (auto& x : nodes_)
      x.starts = 0ms;
  }

  void run() {
    std::optional<milliseconds> founded;
    for (now_ = 0ms; now_ < 30s; now_ += step) {
      if (!founded && founders() > 0)
        founded = now_;
      // Long enough for whoever would be the second.
      if (founded && now_ > *founded + 6s)
        return;
      choose_victim();
      if (!is_steady_ && now_ < unsteady_until)
        cut_a_link();
      if (fate_ != fate::none && now_ == dies_)
        end(nodes_[victim_]);
      for (auto& x : nodes_)
        if (!x.core && now_ >= x.starts && !is_gone(x))
          begin(x);
      deliver();
      for (auto& x : nodes_)
        if (x.core && now_ >= x.next)
          act(x);
    }
  }

  std::size_t founders() const {
    return static_cast<std::size_t>(std::count_if(
      nodes_.begin(), nodes_.end(), [](auto& x) { return x.disk.founds; }));
  }

  /// Whether somebody waits for the one that does not come back.
  bool waits_for_lost() const {
    return fate_ == fate::lost
           && std::any_of(nodes_.begin(), nodes_.end(), [&](auto& x) {
                return x.core && x.disk.pledged_to == nodes_[victim_].id;
              });
  }

private:
  static constexpr milliseconds step{10};
  static constexpr milliseconds unsteady_until{8000};

  struct node {
    member_id id;
    milliseconds starts;
    pledge_record disk;
    std::optional<founding> core;
    milliseconds next{};
    /// Since when a connection to each other node stands.
    std::map<member_id, milliseconds> links;
  };

  struct letter {
    milliseconds at;
    member_id from, to;
    std::variant<pledge_request, pledge> what;
  };

  milliseconds up_to(milliseconds most) {
    return step * (random_() % (most / step));
  }

  /// For a while, so that each sees others than the next one.
  void cut_a_link() {
    auto& x = nodes_[random_() % nodes_.size()];
    auto& other = nodes_[random_() % nodes_.size()];
    if (random_() % 8 != 0 || !x.core || !other.core || x.id == other.id)
      return;
    x.links[other.id] = other.links[x.id] = now_ + up_to(3000ms);
    x.core->lost(other.id);
    other.core->lost(x.id);
  }

  void choose_victim() {
    for (std::size_t i = 0; i < nodes_.size() && kills_founder_; ++i)
      if (nodes_[i].disk.pledged_to == nodes_[i].id) {
        kills_founder_ = false;
        victim_ = i;
        dies_ = now_ + up_to(150ms);
      }
  }

  steady_time time() const { return start + now_; }

  node* find(member_id id) {
    auto i = std::find_if(nodes_.begin(), nodes_.end(),
                          [&](auto& x) { return x.id == id && x.core; });
    return i == nodes_.end() ? nullptr : &*i;
  }

  bool is_gone(const node& x) const {
    return &x == &nodes_[victim_] && fate_ != fate::none && now_ >= dies_
           && (fate_ == fate::lost || now_ < returns_);
  }

  void begin(node& x) {
    x.core.emplace(x.id, expected_, x.disk, [&x](const pledge_record& next) {
      x.disk = next;
      return caf::error{};
    });
    for (auto& other : nodes_)
      if (other.core && other.id != x.id)
        x.links[other.id] = other.links[x.id] =
          now_ + (is_steady_ ? step : up_to(1000ms));
  }

  void end(node& x) {
    x.core.reset();
    x.links.clear();
    for (auto& other : nodes_)
      if (other.links.erase(x.id) > 0 && other.core)
        other.core->lost(x.id);
  }

  std::set<member_id> peers_of(const node& x) const {
    std::set<member_id> result;
    for (auto& [id, since] : x.links)
      if (since <= now_)
        result.insert(id);
    return result;
  }

  void act(node& x) {
    x.next = now_ + 200ms + up_to(100ms);
    auto question = x.core->next_question(peers_of(x), time());
    CAF_REQUIRE(question);
    if (*question)
      for (auto id : peers_of(x))
        send(x.id, id,
             pledge_request{named(static_cast<std::uint64_t>(x.id)), "troupe",
                            (*question)->binding, (*question)->pledges});
  }

  void send(member_id from, member_id to,
            std::variant<pledge_request, pledge> what) {
    letters_.push_back({now_ + 5ms + up_to(random_() % 8 == 0 ? 600ms : 30ms),
                        from, to, std::move(what)});
  }

  void deliver() {
    std::vector<letter> due;
    std::erase_if(letters_, [&](auto& x) {
      if (x.at > now_)
        return false;
      due.push_back(x);
      return true;
    });
    for (auto& x : due) {
      auto* to = find(x.to);
      if (to == nullptr || !find(x.from) || to->links[x.from] > now_)
        continue;
      if (auto* asked = std::get_if<pledge_request>(&x.what)) {
        auto given = to->core->answer(*asked, time());
        CAF_REQUIRE(given);
        send(x.to, x.from, *given);
      } else if (to->core->count(std::get<pledge>(x.what), time())) {
        act(*to);
      }
    }
  }

  std::mt19937 random_;
  std::uint32_t expected_;
  milliseconds now_{};
  std::deque<node> nodes_;
  std::vector<letter> letters_;
  fate fate_ = fate::none;
  std::size_t victim_ = 0;
  bool kills_founder_ = false;
  bool is_steady_ = false;
  milliseconds dies_{};
  milliseconds returns_{};
};

struct outcome {
  int runs = 0;
  int founded = 0;
  int twice = 0;
  int waiting = 0;
};

/// Runs all orders in which `size` nodes may start, with each number that may
/// be expected.
outcome run_all_orders(std::uint64_t size, fate what, std::uint32_t seeds) {
  outcome result;
  std::vector<std::uint64_t> ids(size);
  for (std::uint64_t i = 0; i < size; ++i)
    ids[i] = (i + 1) * 100;
  auto total = size + (what == fate::lost ? 1 : 0);
  do {
    for (auto expected = total / 2 + 1; expected <= size; ++expected)
      for (std::uint32_t i = 0; i < seeds; ++i) {
        auto seed = static_cast<std::uint32_t>(result.runs + 1);
        simulation run{ids, static_cast<std::uint32_t>(expected), seed};
        if (what != fate::none)
          run.kill_one(what);
        run.run();
        auto founders = run.founders();
        ++result.runs;
        result.founded += founders == 1;
        result.twice += founders > 1;
        result.waiting += founders == 0 && run.waits_for_lost();
      }
  } while (std::next_permutation(ids.begin(), ids.end()));
  CAF_MESSAGE(result.runs << " runs of " << size << " nodes: " << result.founded
                          << " founded once, " << result.waiting
                          << " wait for a founder that is lost");
  return result;
}

} // namespace

CAF_TEST(in whatever order nodes start exactly one of them founds) {
  for (std::uint64_t size = 3; size <= 5; ++size) {
    auto found = run_all_orders(size, fate::none, 60 / (size * size));
    CAF_CHECK_EQUAL(found.founded, found.runs);
  }
}

CAF_TEST(exactly one founds where one of them is restarted meanwhile) {
  for (std::uint64_t size = 3; size <= 5; ++size) {
    auto found = run_all_orders(size, fate::comes_back, 60 / (size * size));
    CAF_CHECK_EQUAL(found.founded, found.runs);
  }
}

CAF_TEST(one founds at most where one is lost and nobody waits without reason) {
  for (std::uint64_t size = 3; size <= 5; ++size) {
    auto found = run_all_orders(size, fate::lost, 60 / (size * size));
    CAF_CHECK_EQUAL(found.twice, 0);
    CAF_CHECK_EQUAL(found.founded + found.waiting, found.runs);
    CAF_CHECK_LESS(found.waiting, found.founded);
  }
}

CAF_TEST(many that start at once found once though few are expected) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    simulation run{{900, 800, 700, 600, 500, 400, 300, 200, 100}, 3, seed};
    run.start_together();
    run.run();
    CAF_CHECK_EQUAL(run.founders(), 1u);
  }
}

CAF_TEST(who would follow is asked before anyone pledges) {
  founding core{member_id{5}, 3, {}, keeps_nothing()};
  std::set<member_id> peers{member_id{8}, member_id{9}};
  auto first = core.next_question(peers, start);
  CAF_REQUIRE(first && *first);
  CAF_CHECK(!(*first)->binding);
  CAF_CHECK(!core.count({member_id{8}, member_id{5}, false}, start));
  CAF_CHECK(core.count({member_id{9}, member_id{5}, false}, start));
  CAF_CHECK(core.pledged_to() == member_id::none);
  auto second = core.next_question(peers, start);
  CAF_REQUIRE(second && *second);
  CAF_CHECK((*second)->binding);
  CAF_CHECK(core.pledged_to() == member_id{5});
  // That they would is no pledge.
  CAF_CHECK(!core.count({member_id{8}, member_id{5}, false}, start));
  CAF_CHECK(!core.count({member_id{8}, member_id{5}, true}, start));
  CAF_CHECK(core.count({member_id{9}, member_id{5}, true}, start));
  CAF_CHECK(!core.decided());
  CAF_CHECK(!*core.next_question(peers, start));
  CAF_CHECK(core.decided());
}

CAF_TEST(a founder leaves it to a smaller id that asks and no longer) {
  founding core{member_id{5}, 2, {}, keeps_nothing()};
  std::set<member_id> peers{member_id{3}};
  // It is given the time to ask.
  CAF_CHECK(!*core.next_question(peers, start));
  CAF_CHECK(!*core.next_question(peers, start + 2999ms));
  auto asked = start + 2999ms;
  CAF_CHECK(core.answer(request_of(3, false), asked)->to == member_id{3});
  CAF_CHECK(!*core.next_question(peers, asked + 999ms));
  CAF_CHECK(*core.next_question(peers, asked + 1s));
  // A larger one is told so.
  CAF_CHECK(core.answer(request_of(8, false), asked + 1s)->to == member_id{5});
}

CAF_TEST(a pledge is passed on by the one who got it) {
  std::vector<pledge_record> disk;
  founding core{member_id{8}, 3, {}, [&](const pledge_record& x) {
                  disk.push_back(x);
                  return caf::error{};
                }};
  CAF_CHECK(core.answer(request_of(5, true), start)->to == member_id{5});
  CAF_CHECK(core.answer(request_of(3, true), start)->to == member_id{5});
  CAF_REQUIRE_EQUAL(disk.size(), 1u);
  CAF_CHECK(disk[0].pledged_to == member_id{5});
  // 5 has pledged to 3 by now.
  auto moved = core.answer(
    request_of(3, true, {{member_id{5}, member_id{3}, true}}), start);
  CAF_CHECK(moved->to == member_id{3});
  CAF_CHECK(moved->binding);
  CAF_REQUIRE_EQUAL(disk.size(), 2u);
  CAF_CHECK(disk[1].pledged_to == member_id{3});
}

CAF_TEST(a founder pledges to a smaller id until it is decided) {
  founding core{member_id{5}, 2, {member_id{5}, false}, keeps_nothing()};
  CAF_CHECK(core.answer(request_of(8, true), start)->to == member_id{5});
  CAF_CHECK(core.answer(request_of(3, true), start)->to == member_id{3});
  founding other{member_id{5}, 2, {member_id{5}, true}, keeps_nothing()};
  CAF_CHECK(other.decided());
  CAF_CHECK(other.answer(request_of(3, true), start)->to == member_id{5});
  CAF_CHECK(
    other
      .answer(request_of(3, true, {{member_id{5}, member_id{3}, true}}), start)
      ->to
    == member_id{5});
}

CAF_TEST(a pledge that is not on disk is none) {
  auto broken = [](const pledge_record&) {
    return make_error(errc::storage_failed, "full");
  };
  founding core{member_id{5}, 1, {}, broken};
  CAF_CHECK(!core.next_question({}, start));
  CAF_CHECK(!core.decided());
  CAF_CHECK(!core.answer(request_of(3, true), start));
  CAF_CHECK(core.pledged_to() == member_id::none);
}

CAF_TEST(what a node waits for and what would help is said) {
  auto says = [](std::uint32_t expected, pledge_record own,
                 const std::set<member_id>& peers) {
    return founding{member_id{5}, expected, own, keeps_nothing()}.explain(
      peers);
  };
  auto has = [](const std::string& text, const std::string& part) {
    if (text.find(part) == text.npos)
      CAF_ERROR(text << " lacks " << part);
  };
  std::set<member_id> one{member_id{8}};
  has(says(5, {}, one), "waits for 3 more node(s)");
  has(says(5, {}, one), "2 of cluster.expectedNodes 5 are connected");
  has(says(5, {}, one), "lower cluster.expectedNodes");
  has(says(0, {}, {}), "connected to no other node");
  has(says(0, {}, one), "none of the 1 connected node(s) is in one");
  has(says(0, {}, one), "set it to the number of nodes");
  pledge_record follows{member_id{3}, false};
  has(says(3, follows, one), "0000000000000003");
  has(says(3, follows, one), "empty this node's data directory");
  has(says(3, follows, {member_id{3}}), "waits for 0000000000000003 to found");
  has(says(2, {}, one), "to agree on who founds");
  has(says(2, {member_id{5}, true}, one), "founds the cluster");
}

#define CAF_SUITE members

#include "tests/cluster/simulated_members.hpp"

#include <cstdio>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
// A hundred take longer than a test may.
constexpr std::size_t sizes[] = {3, 5, 10};
#else
constexpr std::size_t sizes[] = {3, 5, 10, 20, 50, 100};
#endif

/// A member that does not lead.
std::size_t follower(const simulated_members& cluster) {
  return cluster.leader() == 0 ? 1 : 0;
}

struct cost {
  /// Until all others hold the lost member to be down.
  std::chrono::milliseconds verdict{0};
  /// In that time, over all nodes.
  std::uint64_t messages = 0;
};

struct figures {
  std::size_t members = 0;
  std::chrono::milliseconds formed{0};
  /// Per second, when nothing happens.
  std::uint64_t idle = 0;
  cost killed;
  cost silent;
};

cost lose(simulated_members& cluster,
          void (simulated_members::*how)(std::size_t)) {
  auto lost = follower(cluster);
  cluster.messages = 0;
  (cluster.*how)(lost);
  cost result;
  result.verdict =
    cluster.time_until([&] { return cluster.all_hold(lost, verdict::down); });
  result.messages = cluster.messages;
  return result;
}

figures measure(std::size_t size) {
  figures result;
  result.members = size;
  {
    simulated_members cluster{size};
    result.formed = cluster.form();
    cluster.elapse(2s);
    cluster.messages = 0;
    cluster.elapse(5s);
    result.idle = cluster.messages / 5;
    result.killed = lose(cluster, &simulated_members::kill);
  }
  simulated_members cluster{size};
  cluster.form();
  cluster.elapse(2s);
  result.silent = lose(cluster, &simulated_members::silence);
  return result;
}

void print(const figures& x) {
  auto ms = [](auto time) { return static_cast<long>(time.count()); };
  std::printf("| %zu | %ld | %lu | %.1f | %ld | %lu | %ld | %lu |\n", x.members,
              ms(x.formed), x.idle,
              static_cast<double>(x.idle) / static_cast<double>(x.members),
              ms(x.killed.verdict), x.killed.messages, ms(x.silent.verdict),
              x.silent.messages);
  std::fflush(stdout);
}

} // namespace

CAF_TEST(
  a verdict takes no longer and costs each member no more in a large cluster) {
  for (auto size : sizes) {
    auto found = measure(size);
    print(found);
    // Messages go between the leader and the members only.
    CAF_CHECK_LESS_OR_EQUAL(found.idle, 35 * size);
    CAF_CHECK_LESS_OR_EQUAL(found.killed.verdict, 500ms);
    CAF_CHECK_LESS_OR_EQUAL(found.silent.verdict, 3s);
  }
}

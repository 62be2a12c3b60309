#define CAF_SUITE traffic_memory

#include "actors/balancer/traffic_memory.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

constexpr member_id one{1};
constexpr member_id other{2};

node_traffic requests(std::uint64_t count) {
  node_traffic result;
  result.by_server["server-1"].requests = count;
  return result;
}

std::uint64_t requests_of(const node_traffic& traffic) {
  auto i = traffic.by_server.find("server-1");
  return i == traffic.by_server.end() ? 0 : i->second.requests;
}

std::uint64_t incarnation_2(member_id) {
  return 2;
}

} // namespace

CAF_TEST(older news of a process changes nothing) {
  traffic_memory memory;
  memory.hear({one, 1}, requests(10));
  memory.hear({one, 1}, requests(7));
  CAF_CHECK_EQUAL(requests_of(memory.all().at({one, 1})), 10u);
  memory.hear({one, 1}, requests(11));
  CAF_CHECK_EQUAL(requests_of(memory.all().at({one, 1})), 11u);
  node_traffic more = requests(11);
  more.own[{503, proxy_cause::no_server}].count = 1;
  memory.hear({one, 1}, more);
  CAF_CHECK_EQUAL(memory.all().at({one, 1}).own.size(), 1u);
}

CAF_TEST(what is under way ends with its process) {
  traffic_memory memory;
  auto busy = requests(10);
  busy.by_server["server-1"].active = 3;
  busy.clients = 5;
  memory.hear({one, 1}, busy);
  auto& known = memory.all().at({one, 1});
  CAF_CHECK_EQUAL(known.by_server.at("server-1").active, 0);
  CAF_CHECK_EQUAL(known.clients, 0u);
}

CAF_TEST(a total never goes down when a node goes or starts anew) {
  traffic_memory memory;
  memory.hear({one, 2}, requests(100));
  memory.hear({other, 2}, requests(30));
  std::map<member_id, node_traffic> fresh{{one, requests(101)},
                                          {other, requests(31)}};
  auto total = [&] {
    return requests_of(cluster_traffic(fresh, memory.all(), incarnation_2));
  };
  CAF_CHECK_EQUAL(total(), 132u);
  memory.hear({other, 2}, requests(31));
  fresh.erase(other);
  CAF_CHECK_EQUAL(total(), 132u);
  // It is back and counts from 0.
  fresh[other] = requests(1);
  CAF_CHECK_EQUAL(requests_of(cluster_traffic(
                    fresh, memory.all(),
                    [](member_id node) { return node == other ? 3u : 2u; })),
                  133u);
}

CAF_TEST(the memory is bounded and forgets the earliest processes) {
  traffic_memory memory;
  memory.hear({other, 1}, requests(5));
  for (std::uint64_t i = 1; i <= 2 * traffic_memory::max_processes; ++i)
    memory.hear({one, i}, requests(i));
  CAF_CHECK_EQUAL(memory.all().size(), traffic_memory::max_processes);
  CAF_CHECK(memory.all().contains({other, 1}));
  CAF_CHECK(memory.all().contains({one, 2 * traffic_memory::max_processes}));
  CAF_CHECK(!memory.all().contains({one, 1}));
}

#define CAF_SUITE choose

#include "actors/balancer/choose.hpp"

#include <map>
#include <set>
#include <thread>

#include <caf/test/dsl.hpp>

#include "actors/balancer/pick.hpp"
#include "http/proxy/context.hpp"
#include "http/proxy/session.hpp"

using namespace troupe;

namespace {

using names = std::set<std::string>;

/// Servers `a`, `b`, ... of these weights.
upstream_pool pool_of(std::vector<std::uint32_t> weights) {
  upstream_pool pool;
  for (std::size_t i = 0; i < weights.size(); ++i)
    pool.servers.push_back(
      {std::string(1, static_cast<char>('a' + i)), "h", 1});
  pool.schedule = smooth_schedule(weights);
  pool.cursor = std::make_shared<std::atomic<std::uint32_t>>(0);
  return pool;
}

/// The id of who is chosen; empty when nobody is.
std::string chosen(const upstream_pool& pool, std::uint32_t turn,
                   const names& tried = {}, const names& ejected = {}) {
  auto* found = choose(pool, turn, [&](const upstream& one) {
    if (tried.contains(one.id))
      return standing::excluded;
    return ejected.contains(one.id) ? standing::last_resort : standing::usable;
  });
  return found == nullptr ? std::string{} : found->id;
}

/// How often each is chosen in `turns` turns.
std::map<std::string, int> shares(const upstream_pool& pool,
                                  std::uint32_t turns, const names& tried = {},
                                  const names& ejected = {}) {
  std::map<std::string, int> result;
  for (std::uint32_t turn = 0; turn < turns; ++turn)
    ++result[chosen(pool, turn, tried, ejected)];
  return result;
}

using counts = std::map<std::string, int>;

} // namespace

CAF_TEST(consecutive turns follow the schedule) {
  auto pool = pool_of({5, 1, 1});
  std::string order;
  for (std::uint32_t turn = 0; turn < 14; ++turn)
    order += chosen(pool, turn);
  CAF_CHECK_EQUAL(order, "aabacaaaabacaa");
}

CAF_TEST(who was tried is never chosen) {
  auto pool = pool_of({5, 1, 1});
  CAF_CHECK_EQUAL(shares(pool, 14, {"a"}).count("a"), 0u);
  CAF_CHECK_EQUAL(shares(pool, 14, {"a", "b"}), (counts{{"c", 14}}));
  CAF_CHECK_EQUAL(shares(pool, 14, {"a", "b", "c"}), (counts{{"", 14}}));
  // Not even as a last resort.
  CAF_CHECK_EQUAL(shares(pool, 14, {"a"}, {"b", "c"}).count("a"), 0u);
}

CAF_TEST(who is ejected is chosen only when nobody else is there) {
  auto pool = pool_of({5, 1, 1});
  CAF_CHECK_EQUAL(shares(pool, 14, {}, {"a", "c"}), (counts{{"b", 14}}));
  CAF_CHECK_EQUAL(shares(pool, 14, {"b"}, {"a", "c"}).count("b"), 0u);
  CAF_CHECK_EQUAL(shares(pool, 14, {"b", "c"}, {"a"}), (counts{{"a", 14}}));
  CAF_CHECK_EQUAL(shares(pool, 70, {}, {"a", "b", "c"}),
                  (counts{{"a", 50}, {"b", 10}, {"c", 10}}));
}

CAF_TEST(turns of who is out go to all others by their weights) {
  CAF_CHECK_EQUAL(shares(pool_of({1, 1, 1}), 60, {}, {"a"}),
                  (counts{{"b", 30}, {"c", 30}}));
  CAF_CHECK_EQUAL(shares(pool_of({2, 1, 1}), 80, {}, {"a"}),
                  (counts{{"b", 40}, {"c", 40}}));
  CAF_CHECK_EQUAL(shares(pool_of({4, 2, 1}), 210, {}, {"a"}),
                  (counts{{"b", 140}, {"c", 70}}));
}

CAF_TEST(a pool without a schedule has nobody) {
  CAF_CHECK_EQUAL(chosen(pool_of({}), 0), "");
  CAF_CHECK_EQUAL(chosen(pool_of({0, 0}), 7), "");
}

CAF_TEST(the turns may begin anew) {
  auto pool = pool_of({1, 1, 1});
  for (auto turn : {0xffffffffu, 0xfffffffeu, 0u})
    CAF_CHECK_EQUAL(chosen(pool, turn, {"a"}, {"b"}), "c");
}

CAF_TEST(the only healthy server is found however many threads take turns) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto pool = pool_of({1, 1});
  auto routing = std::make_shared<published<routing_table>>();
  auto now = proxying::proxy_context::clock::now();
  std::atomic<int> wrong{0};
  auto ask = [&](std::uint32_t index) {
    io_thread io{system, index};
    proxying::proxy_context context{io, proxy_config{}, routing};
    context.backend_of(pool.servers[0])
      ->passive.connect_failed(now + std::chrono::hours{1});
    for (int i = 0; i < 20'000; ++i) {
      auto* retried = context.choose(pool, pool.next_turn(), {"a"}, now);
      auto* healthy = context.choose(pool, pool.next_turn(), {}, now);
      if (retried == nullptr || retried->id != "b" || healthy->id != "b")
        ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 4; ++i)
    threads.emplace_back(ask, i);
  for (auto& one : threads)
    one.join();
  CAF_CHECK_EQUAL(wrong.load(), 0);
}

#include "http/gateway/figures.hpp"

#include <caf/all.hpp>

#include "actors/balancer/traffic_memory.hpp"

namespace troupe {

namespace {

struct collection {
  figures result;
  std::function<void(const figures&)> done;
  int missing;

  void one_less() {
    if (--missing == 0)
      done(result);
  }
};

using collection_ptr = std::shared_ptr<collection>;

void gather_own_traffic(gateway& g, const collection_ptr& all) {
  g.gather<balancer_actor, node_traffic>(
    {{g.config.self.id, "balancer"}}, get_traffic{},
    [all](gathered<node_traffic>& answers) {
      for (auto& [place, traffic] : answers.replies)
        all->result.traffic += traffic;
      all->result.unreachable.merge(answers.unreachable);
      all->one_less();
    });
}

/// From all nodes, and what this one's balancer remembers of those that do not
/// answer any more.
void gather_traffic(gateway& g, const collection_ptr& all) {
  auto fresh = std::make_shared<std::map<member_id, node_traffic>>();
  auto finish = [&g, all, fresh](gathered<traffic_of_all>& answers) {
    auto& members = g.cluster().members;
    auto incarnation_of = [&](member_id node) {
      auto i = members.find(node);
      return i == members.end() ? 0 : i->second.info.incarnation;
    };
    traffic_of_all known;
    if (!answers.replies.empty())
      known = std::move(answers.replies.front().second);
    all->result.traffic =
      cluster_traffic(*fresh, known.by_process, incarnation_of);
    all->one_less();
  };
  g.gather<balancer_actor, node_traffic>(
    g.on_each_node("balancer"), get_traffic{},
    [&g, all, fresh, finish](gathered<node_traffic>& answers) {
      for (auto& [place, traffic] : answers.replies)
        fresh->emplace(place.node, std::move(traffic));
      all->result.unreachable.merge(answers.unreachable);
      g.gather<balancer_actor, traffic_of_all>({{g.config.self.id, "balancer"}},
                                               get_traffic_of_all{}, finish);
    });
}

} // namespace

void gather_figures(gateway& g, figures_wanted wanted,
                    std::function<void(const figures&)> done) {
  // One more, so that it ends once even when nothing is wanted.
  auto count = 1 + wanted.traffic + wanted.cache + wanted.system;
  auto all =
    std::make_shared<collection>(collection{{}, std::move(done), count});
  if (wanted.traffic && wanted.local_only)
    gather_own_traffic(g, all);
  else if (wanted.traffic)
    gather_traffic(g, all);
  if (wanted.cache)
    g.gather<cache_shard_actor, cache_stats>(
      wanted.local_only ? g.local_shards() : g.all_shards(), get_cache_stats{},
      [all](gathered<cache_stats>& answers) {
        for (auto& [place, stats] : answers.replies)
          all->result.cache += stats;
        all->result.unreachable.merge(answers.unreachable);
        all->one_less();
      });
  if (wanted.system)
    g.gather<resource_monitor_actor, resource_usage>(
      {{g.config.self.id, "resource_monitor"}}, get_resources{},
      [all](gathered<resource_usage>& answers) {
        for (auto& [place, usage] : answers.replies)
          all->result.system = usage;
        all->result.unreachable.merge(answers.unreachable);
        all->one_less();
      });
  all->one_less();
}

} // namespace troupe

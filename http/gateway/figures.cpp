#include "http/gateway/figures.hpp"

#include <caf/all.hpp>

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

} // namespace

void gather_figures(gateway& g, figures_wanted wanted,
                    std::function<void(const figures&)> done) {
  // One more, so that it ends once even when nothing is wanted.
  auto count = 1 + wanted.traffic + wanted.cache + wanted.system;
  auto all =
    std::make_shared<collection>(collection{{}, std::move(done), count});
  std::vector<actor_place> balancer{{g.config.self.id, "balancer"}};
  if (wanted.traffic)
    g.gather<balancer_actor, node_traffic>(
      wanted.local_only ? balancer : g.on_each_node("balancer"), get_traffic{},
      [all](gathered<node_traffic>& answers) {
        for (auto& [place, traffic] : answers.replies)
          for (auto& [id, counters] : traffic.by_server)
            all->result.traffic[id] += counters;
        all->result.unreachable.merge(answers.unreachable);
        all->one_less();
      });
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

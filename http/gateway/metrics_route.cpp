#include <chrono>
#include <limits>
#include <sstream>

#include <prometheus/text_serializer.h>

#include "http/gateway/figures.hpp"
#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"

namespace troupe {

namespace {

using prometheus::MetricType;
using label_list = std::vector<prometheus::ClientMetric::Label>;

/// Builds the families of one scrape. Everything is read when it is asked for:
/// there is no second set of counters beside the actors' own.
class scrape {
public:
  void gauge(const std::string& name, const std::string& help, double value,
             label_list labels = {}) {
    prometheus::ClientMetric metric;
    metric.gauge.value = value;
    metric.label = std::move(labels);
    family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }

  void counter(const std::string& name, const std::string& help, double value,
               label_list labels = {}) {
    prometheus::ClientMetric metric;
    metric.counter.value = value;
    metric.label = std::move(labels);
    family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }

  /// `counts` are by bucket, the last one for what is above all bounds.
  template <class Bounds, class Counts>
  void histogram(const std::string& name, const std::string& help,
                 const Bounds& bounds, const Counts& counts, double sum) {
    using seconds = std::chrono::duration<double>;
    prometheus::ClientMetric metric;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      cumulative += counts[i];
      auto bound = i < bounds.size() ? seconds{bounds[i]}.count()
                                     : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = sum;
    family(name, help, MetricType::Histogram)
      .metric.push_back(std::move(metric));
  }

  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, families_);
    return out.str();
  }

private:
  prometheus::MetricFamily& family(const std::string& name,
                                   const std::string& help, MetricType type) {
    for (auto& one : families_)
      if (one.name == name)
        return one;
    return families_.emplace_back(
      prometheus::MetricFamily{name, help, type, {}});
  }

  std::vector<prometheus::MetricFamily> families_;
};

void add_node(scrape& out, const gateway& g) {
  auto& self = g.config.self;
  out.gauge("troupe_info", "Identity of the node; always 1.", 1,
            {{"node", self.name},
             {"id", to_string(self.id)},
             {"version", self.version}});
  out.gauge("troupe_start_time_seconds", "When the process started.",
            static_cast<double>(g.config.started_at) / 1000);
}

void add_cluster(scrape& out, const cluster_state& state, member_id self) {
  std::map<std::string_view, double> members{
    {"alive", 0}, {"suspect", 0}, {"down", 0}, {"left", 0}};
  for (auto& [id, entry] : state.members)
    members[to_string(entry.state)] += 1;
  for (auto& [name, count] : members)
    out.gauge("troupe_cluster_members", "Members by the cluster's verdict.",
              count, {{"state", std::string{name}}});
  auto known = state.leader != member_id::none;
  out.gauge("troupe_cluster_has_leader", "Whether this node knows a leader.",
            known ? 1 : 0);
  out.gauge("troupe_cluster_is_leader", "Whether this node leads.",
            known && state.leader == self ? 1 : 0);
  out.gauge("troupe_raft_term", "Raft's term, as this node knows it.",
            static_cast<double>(state.term));
  out.gauge("troupe_raft_applied_index", "Last command applied here.",
            static_cast<double>(state.applied_index));
  double owned = 0;
  for (std::uint32_t slot = 0; slot < state.slots->owner.size(); ++slot)
    owned += state.slots->owner_of(slot) == self ? 1 : 0;
  out.gauge("troupe_cache_slots_owned", "Cache slots that this node owns.",
            owned);
  out.gauge("troupe_cache_slot_epoch", "Version of the slot table.",
            static_cast<double>(state.slots->epoch));
}

void add_log_disk(scrape& out, const log_disk& disk) {
  using seconds = std::chrono::duration<double>;
  auto now = log_disk::clock::now();
  auto report = disk.get();
  out.histogram("troupe_raft_log_write_seconds",
                "Synced writes of the Raft log.", log_disk::bounds,
                report.writes, seconds{report.total}.count());
  out.gauge("troupe_raft_log_waiting_seconds",
            "How long the oldest write has waited that is not durable yet.",
            report.waiting_since ? seconds{now - *report.waiting_since}.count()
                                 : 0);
  out.gauge("troupe_raft_log_writable",
            "0 while the log's disk is full or does not answer.",
            report.trouble.empty() ? 1 : 0);
}

void add_servers(scrape& out, const cluster_state& state,
                 const std::map<std::string, traffic_counters>& traffic) {
  for (auto& [id, entry] : state.servers) {
    label_list labels{{"server", id}, {"service", entry.service}};
    out.gauge("troupe_server_healthy",
              "1 healthy, 0 unhealthy, -1 not checked yet.",
              entry.condition == health::unknown
                ? -1
                : (entry.condition == health::healthy ? 1 : 0),
              labels);
    out.gauge("troupe_server_maintenance", "Whether it is in maintenance.",
              entry.maintenance ? 1 : 0, labels);
    auto i = traffic.find(id);
    auto counters = i == traffic.end() ? traffic_counters{} : i->second;
    out.counter("troupe_proxy_requests_total",
                "Requests that this node's proxy sent to the server.",
                static_cast<double>(counters.requests), labels);
    out.counter("troupe_proxy_failures_total",
                "Of them, answered with 5xx or not at all.",
                static_cast<double>(counters.failures), labels);
    out.counter("troupe_proxy_connections_total",
                "Connections that this node's proxy opened to the server.",
                static_cast<double>(counters.connections), labels);
    out.gauge("troupe_proxy_active_requests", "Requests in flight.",
              static_cast<double>(counters.active), labels);
    out.counter("troupe_proxy_latency_seconds_total",
                "Sum of the times to the answer's first byte.",
                static_cast<double>(counters.latency_us) / 1e6, labels);
  }
}

void add_proxy(scrape& out, const node_traffic& traffic) {
  out.gauge("troupe_proxy_connections", "Clients' connections to the proxy.",
            traffic.clients);
  for (auto& [kind, counted] : traffic.own)
    out.counter("troupe_proxy_own_answers_total",
                "Requests that this node's proxy answered itself, or clients "
                "that it refused. Status 0: closed without an answer.",
                static_cast<double>(counted.count),
                {{"status", std::to_string(kind.status)},
                 {"cause", std::string{to_string(kind.cause)}}});
}

void add_cache(scrape& out, const cache_stats& stats) {
  auto count = [&](const char* what, const char* help, std::uint64_t value) {
    out.counter(std::string{"troupe_cache_"} + what + "_total", help,
                static_cast<double>(value));
  };
  count("hits", "Reads that found their key on this node.", stats.hits);
  count("misses", "Reads that did not.", stats.misses);
  count("sets", "Writes on this node.", stats.sets);
  count("deletes", "Entries deleted by a client.", stats.deletes);
  count("evictions", "Entries that went to make room.", stats.evictions);
  count("expirations", "Entries whose time was over.", stats.expirations);
  out.gauge("troupe_cache_keys", "Live entries on this node.",
            static_cast<double>(stats.keys));
  out.gauge("troupe_cache_used_bytes", "Memory of entries on this node.",
            static_cast<double>(stats.used_bytes));
  out.gauge("troupe_cache_max_bytes", "Its limit.",
            static_cast<double>(stats.max_bytes));
}

void add_system(scrape& out, const resource_usage& usage) {
  out.gauge("troupe_machine_cpu_percent", "CPU use of the machine.",
            usage.cpu_percent);
  out.gauge("troupe_machine_memory_used_bytes", "Memory use of the machine.",
            static_cast<double>(usage.memory_used_bytes));
  out.gauge("troupe_machine_disk_percent", "Use of the data directory's disk.",
            usage.disk_percent);
  out.gauge("troupe_process_cpu_percent", "CPU use of the node; 100 is a core.",
            usage.process_cpu_percent);
  out.gauge("troupe_process_resident_bytes", "Resident memory of the node.",
            static_cast<double>(usage.process_memory_bytes));
}

void add_http(scrape& out, const http_totals& totals) {
  out.gauge("troupe_http_connections", "Open connections to the API port.",
            totals.open);
  out.counter("troupe_http_accepted_total", "Connections accepted.",
              static_cast<double>(totals.accepted));
  out.counter("troupe_http_refused_total", "Connections over the limit.",
              static_cast<double>(totals.refused));
  out.counter("troupe_http_timeouts_total", "Requests that ran out of time.",
              static_cast<double>(totals.timeouts));
  out.counter("troupe_http_slow_readers_total",
              "Connections closed because answers were read too slowly.",
              static_cast<double>(totals.slow_readers));
  out.gauge("troupe_http_body_bytes", "Requests' bodies held now.",
            static_cast<double>(totals.body_bytes));
  out.gauge("troupe_http_answer_bytes", "Answers held that are not read yet.",
            static_cast<double>(totals.answer_bytes));
  for (std::size_t i = 1; i < std::size(totals.answers); ++i)
    out.counter("troupe_http_answers_total", "Answers by class of status.",
                static_cast<double>(totals.answers[i]),
                {{"class", std::to_string(i) + "xx"}});
  out.counter("troupe_http_handling_seconds_total",
              "Sum of the times from a request to its answer.",
              static_cast<double>(totals.handling_us) / 1e6);
}

void get_metrics(gateway& g, routed_request from) {
  gather_figures(
    g, {.traffic = true, .cache = true, .system = true, .local_only = true},
    [&g, exchange = from.exchange](const figures& all) {
      scrape out;
      auto& state = g.cluster();
      add_node(out, g);
      add_cluster(out, state, g.config.self.id);
      if (g.sources.disk)
        add_log_disk(out, *g.sources.disk);
      add_servers(out, state, all.traffic.by_server);
      add_proxy(out, all.traffic);
      add_cache(out, all.cache);
      add_system(out, all.system);
      if (g.sources.http)
        add_http(out, g.sources.http());
      exchange->respond(200, "text/plain; version=0.0.4; charset=utf-8",
                        out.text());
    });
}

} // namespace

void add_metrics_route(gateway_router& routes) {
  routes.add(http_verb::get, "/metrics", {get_metrics});
}

} // namespace troupe

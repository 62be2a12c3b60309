#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <caf/meta/type_name.hpp>

namespace troupe {

/// What went through a server (or all of them), counted since the counter's
/// owner started. Sums over io threads and nodes are meaningful.
struct traffic_counters {
  std::uint64_t requests = 0;
  /// Answers of 5xx and requests that got no answer.
  std::uint64_t failures = 0;
  /// Connections opened.
  std::uint64_t connections = 0;
  /// Requests in flight now.
  std::int64_t active = 0;
  /// Sum over `requests`, time from the request's last byte to the answer's
  /// first, in µs.
  std::uint64_t latency_us = 0;

  traffic_counters& operator+=(const traffic_counters& other) {
    requests += other.requests;
    failures += other.failures;
    connections += other.connections;
    active += other.active;
    latency_us += other.latency_us;
    return *this;
  }
};

/// An io thread's counters: totals since its start, not differences, so a
/// lost report costs nothing.
struct traffic_report {
  std::uint32_t io_thread = 0;
  std::map<std::string, traffic_counters> by_server;
};

/// Stands in `by_server` for all servers that are gone, so that sums over it
/// never go down.
inline constexpr const char* gone_servers = "";

struct get_traffic {};

/// One node's counters by server id, over its io threads.
struct node_traffic {
  std::map<std::string, traffic_counters> by_server;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, traffic_counters& x) {
  return f(caf::meta::type_name("traffic_counters"), x.requests, x.failures,
           x.connections, x.active, x.latency_us);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, traffic_report& x) {
  return f(caf::meta::type_name("traffic_report"), x.io_thread, x.by_server);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_traffic&) {
  return f(caf::meta::type_name("get_traffic"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_traffic& x) {
  return f(caf::meta::type_name("node_traffic"), x.by_server);
}

} // namespace troupe

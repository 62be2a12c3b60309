#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <caf/meta/type_name.hpp>

#include "messages/ids.hpp"

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

/// Why the proxy answered in a server's place, or refused a client.
enum class proxy_cause : std::uint8_t {
  /// The request is no HTTP/1.1, or nothing that is forwarded.
  bad_request,
  /// Its header or body did not come in time.
  slow_client,
  no_route,
  /// The service has no server that may get traffic.
  no_server,
  /// Connecting to a server failed or took too long.
  unreachable,
  /// A server closed the connection or sent what is no HTTP/1.1.
  bad_answer,
  /// A server did not answer in time.
  slow_server,
  /// `proxy.maxConnections` is reached.
  too_many_connections,
  /// This node lacks what a connection takes: descriptors, memory, ports.
  no_resources,
  shutting_down,
  /// The request came through this cluster's proxies too often already.
  loop,
};

/// As it stands in metrics: `no_server`.
std::string_view to_string(proxy_cause cause);

/// Whether a server was asked before, so that the request and its failure are
/// among that server's counters.
constexpr bool concerns_a_server(proxy_cause cause) {
  return cause == proxy_cause::unreachable || cause == proxy_cause::bad_answer
         || cause == proxy_cause::slow_server;
}

/// A kind of the proxy's own answers.
struct own_answer {
  /// 0: the connection was closed without an answer.
  std::uint16_t status = 502;
  proxy_cause cause = proxy_cause::unreachable;

  auto operator<=>(const own_answer&) const = default;
};

struct own_answer_count {
  std::uint64_t count = 0;
  /// Of the last one, for people.
  std::string last_detail;
};

using own_answers = std::map<own_answer, own_answer_count>;

/// An io thread's counters: totals since its start, not differences, so a
/// lost report costs nothing.
struct traffic_report {
  std::uint32_t io_thread = 0;
  std::map<std::string, traffic_counters> by_server;
  own_answers own;
  /// Clients' connections now.
  std::uint32_t clients = 0;
};

/// Stands in `by_server` for all servers that are gone, so that sums over it
/// never go down.
inline constexpr const char* gone_servers = "";

struct get_traffic {};

/// Counters of one process over its io threads, or of several together.
struct node_traffic {
  std::map<std::string, traffic_counters> by_server;
  own_answers own;
  std::uint32_t clients = 0;

  template <class Other> // node_traffic, traffic_report
  node_traffic& operator+=(const Other& other) {
    for (auto& [id, counters] : other.by_server)
      by_server[id] += counters;
    for (auto& [kind, counted] : other.own) {
      auto& mine = own[kind];
      mine.count += counted.count;
      mine.last_detail = counted.last_detail;
    }
    clients += other.clients;
    return *this;
  }
};

/// A process: a node that restarts counts from 0 again.
struct process_id {
  member_id node = member_id::none;
  std::uint64_t incarnation = 0;

  auto operator<=>(const process_id&) const = default;
};

/// What a balancer tells the others, so that a node that goes takes no totals
/// with it.
struct traffic_news {
  process_id who;
  node_traffic totals;
};

/// Asks a balancer what it knows of all processes there are or were, its own
/// included.
struct get_traffic_of_all {};

/// Totals by process, as last heard of.
struct traffic_of_all {
  std::map<process_id, node_traffic> by_process;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, traffic_counters& x) {
  return f(caf::meta::type_name("traffic_counters"), x.requests, x.failures,
           x.connections, x.active, x.latency_us);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, traffic_report& x) {
  return f(caf::meta::type_name("traffic_report"), x.io_thread, x.by_server,
           x.own, x.clients);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, own_answer& x) {
  return f(caf::meta::type_name("own_answer"), x.status, x.cause);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, own_answer_count& x) {
  return f(caf::meta::type_name("own_answer_count"), x.count, x.last_detail);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_traffic&) {
  return f(caf::meta::type_name("get_traffic"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_traffic& x) {
  return f(caf::meta::type_name("node_traffic"), x.by_server, x.own, x.clients);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, process_id& x) {
  return f(caf::meta::type_name("process_id"), x.node, x.incarnation);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, traffic_news& x) {
  return f(caf::meta::type_name("traffic_news"), x.who, x.totals);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_traffic_of_all&) {
  return f(caf::meta::type_name("get_traffic_of_all"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, traffic_of_all& x) {
  return f(caf::meta::type_name("traffic_of_all"), x.by_process);
}

} // namespace troupe

#include "actors/balancer/complaints.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// What it is and what helps.
std::string_view advice(proxy_cause cause) {
  switch (cause) {
    case proxy_cause::bad_request:
      return "not forwarded, because they are not valid";
    case proxy_cause::slow_client:
      return "the client did not send the whole request in time";
    case proxy_cause::no_route:
      return "no route takes them: add one to proxy.routes or set "
             "proxy.defaultService";
    case proxy_cause::no_server:
      return "no server may get them: add one, give it a weight, end its "
             "maintenance, or see why its health check fails";
    case proxy_cause::unreachable:
      return "no server could be connected to: see whether they run and listen "
             "where they are registered";
    case proxy_cause::bad_answer:
      return "the server closed the connection or sent what is not HTTP/1.1: "
             "see its log";
    case proxy_cause::slow_server:
      return "the server did not answer within proxy.responseTimeout: see what "
             "holds it up";
    case proxy_cause::too_many_connections:
      return "proxy.maxConnections is reached: find out who holds so many, or "
             "raise it";
    case proxy_cause::no_resources:
      return "this node lacks descriptors, memory or ports: raise its limit "
             "(ulimit -n, LimitNOFILE) or lower proxy.maxConnections";
    case proxy_cause::shutting_down:
      return "the node is shutting down";
    case proxy_cause::loop:
      return "a server leads back to this cluster's proxy: remove it";
  }
  return "";
}

/// A client's text must not begin a line of its own.
std::string printable(std::string text) {
  std::replace_if(
    text.begin(), text.end(),
    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
    '?');
  return text;
}

struct sum {
  std::uint64_t count = 0;
  bool is_failure = false;
  std::string statuses;
  std::string last_detail;
};

std::map<proxy_cause, sum> by_cause(const own_answers& totals) {
  std::map<proxy_cause, sum> result;
  for (auto& [kind, counted] : totals) {
    auto& one = result[kind.cause];
    one.count += counted.count;
    one.is_failure |= kind.status == 0 || kind.status >= 500;
    one.statuses += one.statuses.empty() ? "" : ", ";
    one.statuses +=
      kind.status == 0 ? "no answer" : std::to_string(kind.status);
    one.last_detail = counted.last_detail;
  }
  return result;
}

} // namespace

std::vector<complaints::line> complaints::note(const own_answers& totals,
                                               time_point now) {
  std::vector<line> lines;
  for (auto& [cause, all] : by_cause(totals)) {
    auto& known = causes_[cause];
    known.seen = all.count;
    if (known.seen <= known.logged || now < known.quiet_until)
      continue;
    auto news = known.seen - known.logged;
    lines.push_back(
      {all.is_failure, "proxy: answered " + std::to_string(news)
                         + (news == 1 ? " request" : " requests") + " itself ("
                         + std::string{to_string(cause)} + ": " + all.statuses
                         + "), " + std::string{advice(cause)}
                         + "; the last: " + printable(all.last_detail)});
    known.logged = known.seen;
    known.quiet_until = now + interval;
  }
  return lines;
}

std::optional<complaints::time_point> complaints::next_line() const {
  std::optional<time_point> next;
  for (auto& [cause, known] : causes_)
    if (known.seen > known.logged && (!next || known.quiet_until < *next))
      next = known.quiet_until;
  return next;
}

} // namespace troupe

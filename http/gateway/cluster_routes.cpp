#include <charconv>

#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"

namespace troupe {

namespace {

using nlohmann::json;

constexpr std::size_t default_event_limit = 100;
constexpr std::size_t max_event_limit = 1000;

void get_cluster(gateway& g, routed_request from) {
  respond_data(*from.exchange, cluster_report(g.cluster(), g.config.self.id));
}

/// A member by id or name.
member_id find_node(const cluster_state& state, const std::string& text) {
  if (auto id = parse_member_id(text); id && state.members.contains(*id))
    return *id;
  auto* named = state.find_member(text);
  return named == nullptr ? member_id::none : named->info.id;
}

void delete_node(gateway& g, routed_request from) {
  auto& text = from.params.at("id");
  auto node = find_node(g.cluster(), text);
  if (node == member_id::none)
    return respond_problem(
      *from.exchange,
      problem{errc::not_found, "no such node: " + text.substr(0, 200), "id"});
  g.change(
    from.exchange, dismiss_node{node, "removed by an operator"},
    [exchange = from.exchange, node](const apply_result&) {
      respond_data(*exchange, {{"id", to_string(node)}, {"removed", true}});
    });
}

/// Filters of `events`.
struct event_filter {
  std::size_t limit = default_event_limit;
  std::string type;
  std::string level;

  bool takes(const event& what) const {
    return (type.empty() || what.type == type)
           && (level.empty() || what.level == level);
  }
};

bool read_limit(std::string_view text, std::size_t& limit) {
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, limit);
  return failure == std::errc{} && end == last && limit >= 1
         && limit <= max_event_limit;
}

std::optional<problem> read_filter(const query_parameters& query,
                                   event_filter& filter) {
  for (auto& [name, value] : query) {
    if (name == "type")
      filter.type = value;
    else if (name == "level"
             && (value == "info" || value == "warning" || value == "error"))
      filter.level = value;
    else if (name == "level")
      return problem{errc::invalid_field,
                     "'level' must be info, warning or error", name};
    else if (name == "limit" && !read_limit(value, filter.limit))
      return problem{errc::invalid_field,
                     "'limit' must be a whole number from 1 to "
                       + std::to_string(max_event_limit),
                     name};
  }
  return std::nullopt;
}

void get_events(gateway& g, routed_request from) {
  event_filter filter;
  if (auto wrong = read_filter(from.query, filter))
    return respond_problem(*from.exchange, *wrong);
  auto data = json::array();
  auto& events = *g.cluster().events;
  for (auto i = events.rbegin();
       i != events.rend() && data.size() < filter.limit; ++i)
    if (filter.takes(*i))
      data.push_back(event_report(*i));
  respond_data(*from.exchange, data);
}

} // namespace

void add_cluster_routes(gateway_router& routes) {
  routes.add(http_verb::get, "/api/infrastructure/cluster", {get_cluster});
  routes.add(http_verb::delete_, "/api/infrastructure/cluster/nodes/:id",
             {delete_node});
  routes.add(http_verb::get, "/api/infrastructure/events",
             {get_events, body_kind::none, {"limit", "type", "level"}});
}

} // namespace troupe

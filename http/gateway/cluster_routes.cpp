#include <algorithm>
#include <charconv>

#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"

namespace troupe {

namespace {

using nlohmann::json;

constexpr std::size_t default_event_limit = 100;
constexpr std::size_t max_event_limit = 1000;

void get_cluster(gateway& g, routed_request from) {
  respond_data(*from.exchange,
               cluster_report(g.cluster(), g.config.self.id, g.answering()));
}

problem ambiguous(const std::string& name,
                  const std::vector<const member*>& all) {
  std::string ids;
  for (auto* one : all)
    ids += (ids.empty() ? "" : ", ") + to_string(one->info.id) + " ("
           + std::string{to_string(one->state)} + ")";
  return {errc::conflict,
          "several nodes have the name " + name + "; say one's id: " + ids,
          "id"};
}

/// A member by id or name. Those that were removed keep their name for a while:
/// it means them only where nobody else has it.
std::variant<member_id, problem> find_node(const cluster_state& state,
                                           const std::string& text) {
  if (auto id = parse_member_id(text); id && state.members.contains(*id))
    return *id;
  std::vector<const member*> named;
  for (auto& [id, who] : state.members)
    if (who.info.name == text)
      named.push_back(&who);
  for (auto is_less : {+[](const member& who) { return who.dismissed; },
                       +[](const member& who) {
                         return who.state == verdict::left
                                || who.state == verdict::down;
                       }})
    if (std::any_of(named.begin(), named.end(),
                    [&](auto* who) { return !is_less(*who); }))
      std::erase_if(named, [&](auto* who) { return is_less(*who); });
  if (named.size() == 1)
    return named.front()->info.id;
  if (named.empty())
    return problem{errc::not_found, "no such node: " + text.substr(0, 200),
                   "id"};
  return ambiguous(text, named);
}

/// The `force` parameter, or a problem.
std::optional<problem> read_force(const query_parameters& query, bool& force) {
  auto i = query.find("force");
  force = i != query.end() && i->second == "true";
  if (i == query.end() || force || i->second == "false")
    return std::nullopt;
  return problem{errc::invalid_field, "'force' must be true or false", "force"};
}

void delete_node(gateway& g, routed_request from) {
  auto found = find_node(g.cluster(), from.params.at("id"));
  if (auto* wrong = std::get_if<problem>(&found))
    return respond_problem(*from.exchange, *wrong);
  auto node = std::get<member_id>(found);
  bool force = false;
  if (auto wrong = read_force(from.query, force))
    return respond_problem(*from.exchange, *wrong);
  g.change(from.exchange, dismiss_node{node, "removed by an operator", force},
           [&g, exchange = from.exchange, node](const apply_result&) {
             respond_data(
               *exchange,
               {{"id", to_string(node)},
                {"removed", true},
                {"quorum", lasting_quorum_report(g.cluster(), g.answering())}});
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
             {delete_node, body_kind::none, {"force"}});
  routes.add(http_verb::get, "/api/infrastructure/events",
             {get_events, body_kind::none, {"limit", "type", "level"}});
}

} // namespace troupe

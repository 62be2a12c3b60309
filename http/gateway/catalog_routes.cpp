#include <charconv>

#include <caf/all.hpp>

#include "http/gateway/routes.hpp"
#include "messages/keys.hpp"

// Keys of the catalog: `/api/infrastructure/catalog/keys`.

namespace troupe {

namespace {

using nlohmann::json;

constexpr std::int64_t max_version = std::int64_t{1} << 62;
constexpr std::uint32_t max_listed = 1000;

/// The part of the catalog that knows the keys.
using key_reader =
  caf::typed_actor<caf::replies_to<read_key>::with<catalog_value>,
                   caf::replies_to<list_keys>::with<key_list>>;

std::uint64_t version_of(const apply_result& result) {
  std::uint64_t version = 0;
  auto& text = result.value;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// Asks this node's catalog and calls `done(reply)`, or answers the problem.
template <class Reply, class Request, class Done>
void ask_catalog(gateway& g, const http_exchange_ptr& exchange, Request request,
                 Done done) {
  auto catalog = g.find<key_reader>(g.config.self.id, "catalog");
  if (!catalog)
    return respond_problem(
      *exchange, problem{errc::unavailable, "the catalog is restarting"});
  g.self->request(catalog, caf::infinite, std::move(request))
    .then([done](const Reply& reply) { done(reply); },
          [exchange](const caf::error& failure) {
            respond_problem(*exchange, failure);
          });
}

json value_report(const std::string& key, const catalog_value& found) {
  json value;
  if (found.is_list) {
    value = json::array();
    for (auto& item : found.items)
      value.push_back(json::parse(item));
  } else {
    value = json::parse(found.items.at(0));
  }
  return {
    {"key", key}, {"value", std::move(value)}, {"version", found.version}};
}

void get_catalog_key(gateway& g, routed_request from) {
  auto key = from.params.at("key");
  ask_catalog<catalog_value>(
    g, from.exchange, read_key{key},
    [key, exchange = from.exchange](const catalog_value& found) {
      respond_data(*exchange, value_report(key, found));
    });
}

/// Changes a key and answers its new version.
void change_key(gateway& g, const http_exchange_ptr& exchange,
                const std::string& key, command_body change) {
  g.change(
    exchange, std::move(change), [key, exchange](const apply_result& result) {
      respond_data(*exchange, {{"key", key}, {"version", version_of(result)}});
    });
}

void put_catalog_key(gateway& g, routed_request from) {
  auto read = [key = from.params.at("key")](field_reader& body) {
    return put_key{key, to_text(body.any("value")),
                   body.integer("version", 0, max_version, any_version)};
  };
  g.read_body(from.exchange, {"value", "version"}, read,
              [&g, exchange = from.exchange](put_key wanted) {
                auto key = wanted.key;
                change_key(g, exchange, key, std::move(wanted));
              });
}

void append_to_catalog_key(gateway& g, routed_request from) {
  auto read = [key = from.params.at("key")](field_reader& body) {
    return append_to_key{key, to_text(body.any("value"))};
  };
  g.read_body(from.exchange, {"value"}, read,
              [&g, exchange = from.exchange](append_to_key wanted) {
                auto key = wanted.key;
                change_key(g, exchange, key, std::move(wanted));
              });
}

/// The whole number `text`, or a problem that names `field`.
std::optional<problem> read_number(std::string_view text, const char* field,
                                   std::int64_t min, std::int64_t max,
                                   std::int64_t& into) {
  auto last = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), last, into);
  if (failure == std::errc{} && end == last && into >= min && into <= max)
    return std::nullopt;
  return problem{errc::invalid_field,
                 "'" + std::string{field} + "' must be a whole number from "
                   + std::to_string(min) + " to " + std::to_string(max),
                 field};
}

void delete_catalog_key(gateway& g, routed_request from) {
  delete_key wanted{from.params.at("key")};
  auto version = from.query.find("version");
  if (version != from.query.end())
    if (auto wrong = read_number(version->second, "version", 0, max_version,
                                 wanted.if_version))
      return respond_problem(*from.exchange, *wrong);
  auto key = wanted.key;
  g.change(from.exchange, std::move(wanted),
           [key, exchange = from.exchange](const apply_result&) {
             respond_data(*exchange, {{"key", key}, {"deleted", true}});
           });
}

std::optional<problem> read_selection(const query_parameters& query,
                                      list_keys& wanted) {
  if (auto i = query.find("prefix"); i != query.end())
    wanted.prefix = i->second;
  auto i = query.find("limit");
  if (i == query.end())
    return std::nullopt;
  std::int64_t limit = 0;
  auto wrong = read_number(i->second, "limit", 1, max_listed, limit);
  if (!wrong)
    wanted.limit = static_cast<std::uint32_t>(limit);
  return wrong;
}

void get_catalog_keys(gateway& g, routed_request from) {
  list_keys wanted;
  if (auto wrong = read_selection(from.query, wanted))
    return respond_problem(*from.exchange, *wrong);
  ask_catalog<key_list>(
    g, from.exchange, std::move(wanted),
    [exchange = from.exchange](const key_list& found) {
      auto keys = json::array();
      for (auto& [key, version] : found.keys)
        keys.push_back({{"key", key}, {"version", version}});
      respond_data(*exchange,
                   {{"keys", std::move(keys)}, {"truncated", found.truncated}});
    });
}

} // namespace

void add_catalog_routes(gateway_router& routes) {
  std::string base{"/api/infrastructure/catalog/keys"};
  constexpr auto value = body_kind::catalog_value;
  routes.add(http_verb::get, base,
             {get_catalog_keys, body_kind::none, {"prefix", "limit"}});
  routes.add(http_verb::get, base + "/:key", {get_catalog_key});
  routes.add(http_verb::put, base + "/:key", {put_catalog_key, value});
  routes.add(http_verb::delete_, base + "/:key",
             {delete_catalog_key, body_kind::none, {"version"}});
  routes.add(http_verb::post, base + "/:key/append",
             {append_to_catalog_key, value});
}

} // namespace troupe

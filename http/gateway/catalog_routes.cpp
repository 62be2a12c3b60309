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

void put_catalog_key(gateway& g, routed_request from) {
  field_reader body{from.request(), {"value", "version"}};
  put_key wanted;
  wanted.key = from.params.at("key");
  wanted.value = to_text(body.any("value"));
  wanted.if_version = body.integer("version", 0, max_version, any_version);
  if (body.failure())
    return respond_problem(*from.exchange, *body.failure());
  auto key = wanted.key;
  g.change(
    from.exchange, std::move(wanted),
    [key, exchange = from.exchange](const apply_result& result) {
      respond_data(*exchange, {{"key", key}, {"version", version_of(result)}});
    });
}

void append_to_catalog_key(gateway& g, routed_request from) {
  field_reader body{from.request(), {"value"}};
  auto value = body.any("value");
  if (body.failure())
    return respond_problem(*from.exchange, *body.failure());
  auto key = from.params.at("key");
  g.change(
    from.exchange, append_to_key{key, to_text(value)},
    [key, exchange = from.exchange](const apply_result& result) {
      respond_data(*exchange, {{"key", key}, {"version", version_of(result)}});
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

problem unknown_parameter(const std::string& name, const char* known) {
  return {errc::invalid_field,
          std::string{"unknown parameter; known: "} + known,
          name.substr(0, 64)};
}

std::optional<problem> read_condition(const http_request& request,
                                      std::int64_t& version) {
  for (auto& [name, value] : read_query(request)) {
    if (name != "version")
      return unknown_parameter(name, "version");
    if (auto wrong = read_number(value, "version", 0, max_version, version))
      return wrong;
  }
  return std::nullopt;
}

void delete_catalog_key(gateway& g, routed_request from) {
  delete_key wanted{from.params.at("key")};
  if (auto wrong = read_condition(from.request(), wanted.if_version))
    return respond_problem(*from.exchange, *wrong);
  auto key = wanted.key;
  g.change(from.exchange, std::move(wanted),
           [key, exchange = from.exchange](const apply_result&) {
             respond_data(*exchange, {{"key", key}, {"deleted", true}});
           });
}

std::optional<problem> read_selection(const http_request& request,
                                      list_keys& wanted) {
  for (auto& [name, value] : read_query(request)) {
    std::int64_t limit = 0;
    if (name == "prefix") {
      wanted.prefix = value;
    } else if (name != "limit") {
      return unknown_parameter(name, "prefix, limit");
    } else if (auto wrong = read_number(value, "limit", 1, max_listed, limit)) {
      return wrong;
    } else {
      wanted.limit = static_cast<std::uint32_t>(limit);
    }
  }
  return std::nullopt;
}

void get_catalog_keys(gateway& g, routed_request from) {
  list_keys wanted;
  if (auto wrong = read_selection(from.request(), wanted))
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
  routes.add(http_verb::get, base, get_catalog_keys);
  routes.add(http_verb::get, base + "/:key", get_catalog_key);
  routes.add(http_verb::put, base + "/:key", put_catalog_key);
  routes.add(http_verb::delete_, base + "/:key", delete_catalog_key);
  routes.add(http_verb::post, base + "/:key/append", append_to_catalog_key);
}

} // namespace troupe

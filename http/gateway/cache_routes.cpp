#include <charconv>
#include <cmath>

#include <caf/all.hpp>

#include "actors/cache_shard/cache_shard.hpp"
#include "http/gateway/json_text.hpp"
#include "http/gateway/reports.hpp"
#include "http/gateway/routes.hpp"
#include "messages/slots.hpp"

namespace troupe {

namespace {

using nlohmann::json;

/// A request about one key on its way to the key's owner.
struct key_request {
  http_exchange_ptr exchange;
  std::string key;
  member_id owner = member_id::none;
  std::uint32_t attempt = 0;
};

using key_request_ptr = std::shared_ptr<key_request>;

/// Whether another attempt may reach the right node: the table or the session
/// may be about to change.
bool is_passing(errc code) {
  return code == errc::wrong_owner || code == errc::unavailable
         || code == errc::timed_out;
}

void respond_no_owner(gateway& g, const key_request& what,
                      const error_view& last) {
  auto slot = std::to_string(slot_of(what.key));
  if (what.owner == member_id::none)
    return respond_problem(
      *what.exchange,
      problem{errc::unavailable, "slot " + slot + " has no owner yet"});
  respond_problem(
    *what.exchange,
    problem{last.code == errc::timed_out ? errc::timed_out : errc::unavailable,
            g.name_of(what.owner) + " owns slot " + slot
              + " and does not answer for it: " + last.detail});
}

template <class Reply, class Make, class Done>
void ask_owner(gateway& g, key_request_ptr what, Make make, Done done);

template <class Reply, class Make, class Done>
void ask_failed(gateway& g, const key_request_ptr& what, const error_view& why,
                Make make, Done done) {
  if (++what->attempt >= g.config.cache_attempts)
    return respond_no_owner(g, *what, why);
  auto pause = g.config.cache_backoff * (1 << (what->attempt - 1)) * g.jitter();
  g.defer(std::chrono::duration_cast<std::chrono::milliseconds>(pause),
          [&g, what, make, done] { ask_owner<Reply>(g, what, make, done); });
}

template <class Reply, class Make, class Done>
void ask_now(gateway& g, const key_request_ptr& what, member_id turn_at,
             Make make, Done done);

/// Sends `make(key request, epoch)` to the shard that owns the key and calls
/// `done(key request, reply)`. Who would be one too many at the owner waits.
template <class Reply, class Make, class Done>
void ask_owner(gateway& g, key_request_ptr what, Make make, Done done) {
  auto owner = g.cluster().slots->owner_of(slot_of(what->key));
  g.cache_asks.enter(owner, [&g, what, owner, make, done] {
    ask_now<Reply>(g, what, owner, make, done);
  });
}

/// @param turn_at whose turn it has, to be passed on; the slot may have moved
/// meanwhile.
template <class Reply, class Make, class Done>
void ask_now(gateway& g, const key_request_ptr& what, member_id turn_at,
             Make make, Done done) {
  if (is_late(what->exchange->request()))
    return g.cache_asks.leave(turn_at);
  auto& state = g.cluster();
  auto slot = slot_of(what->key);
  what->owner = state.slots->owner_of(slot);
  auto local = what->owner == g.config.self.id;
  auto member = local ? state.members.end() : state.members.find(what->owner);
  std::uint32_t shards = local ? g.config.self.io_threads
                         : member == state.members.end()
                           ? 1
                           : member->second.info.io_threads;
  auto shard = g.find<cache_shard_actor>(
    what->owner, g.shard_name(slot % std::max(shards, 1u)));
  if (!shard) {
    g.cache_asks.leave(turn_at);
    return ask_failed<Reply>(
      g, what, {errc::unavailable, "not connected to it", {}}, make, done);
  }
  // A local actor's end is reported; only a remote one may just be silent.
  auto timeout = local ? caf::infinite : caf::duration{g.config.cache_timeout};
  g.self->request(shard, timeout, make(*what, state.slots->epoch))
    .then(
      [&g, what, turn_at, done](Reply& reply) {
        g.cache_asks.leave(turn_at);
        done(*what, reply);
      },
      [&g, what, turn_at, make, done](const caf::error& failure) {
        g.cache_asks.leave(turn_at);
        auto view = describe(failure);
        if (is_passing(view.code))
          return ask_failed<Reply>(g, what, view, make, done);
        if (view.code == errc::not_found)
          view.detail = "no such key: " + what->key.substr(0, 200);
        respond_problem(*what->exchange,
                        problem{view.code, view.detail, view.field});
      });
}

/// The key of the path, or null after a problem was answered.
key_request_ptr key_of(gateway& g, routed_request& from) {
  auto& key = from.params.at("key");
  if (key.size() > g.config.max_key_bytes) {
    respond_problem(*from.exchange,
                    problem{errc::too_large,
                            "a key has at most "
                              + std::to_string(g.config.max_key_bytes)
                              + " bytes",
                            "key"});
    return nullptr;
  }
  return std::make_shared<key_request>(
    key_request{std::move(from.exchange), std::move(key)});
}

void append_ttl(std::string& out, std::int64_t ttl_ms) {
  if (ttl_ms == no_ttl) {
    out += "null";
    return;
  }
  char text[32];
  auto seconds = static_cast<double>(ttl_ms) / 1000;
  out.append(text, std::to_chars(text, text + sizeof(text), seconds).ptr);
}

/// The answer to a GET, without a JSON tree: this is a hot path.
void respond_value(const key_request& what, const cache_value& found) {
  std::string out;
  out.reserve(96 + what.key.size() + found.bytes.size() * 5 / 4);
  out += R"({"success":true,"data":{"key":)";
  append_json_string(out, what.key);
  out += R"(,"value":)";
  if (found.encoding == value_encoding::json) {
    if (!append_json_of_msgpack(out, found.bytes))
      return respond_problem(
        *what.exchange,
        problem{errc::corrupt, "the stored value is no msgpack of JSON"});
  } else if (is_utf8(found.bytes)) {
    append_json_string(out, found.bytes);
  } else {
    out += '"';
    out += to_base64(found.bytes);
    out += R"(","encoding":"base64")";
  }
  out += R"(,"ttl":)";
  append_ttl(out, found.ttl_ms);
  out += "}}\n";
  what.exchange->respond(200, json_type, std::move(out));
}

void get_entry(gateway& g, routed_request from) {
  if (auto what = key_of(g, from))
    ask_owner<cache_value>(
      g, std::move(what),
      [](const key_request& asked, std::uint64_t epoch) {
        return cache_get{asked.key, epoch};
      },
      respond_value);
}

/// An entry as a body has it.
struct new_entry {
  /// msgpack.
  std::shared_ptr<std::string> bytes = std::make_shared<std::string>();
  std::int64_t ttl_ms = no_ttl;
};

/// From the body's `ttl` in seconds: missing or 0 is the configured default,
/// null none at all.
std::int64_t read_ttl(field_reader& body, std::chrono::milliseconds fallback) {
  if (body.is_null("ttl"))
    return no_ttl;
  auto seconds = body.number("ttl", 0, max_ttl_ms / 1000.0, 0);
  if (seconds > 0)
    return std::max<std::int64_t>(1, std::llround(seconds * 1000));
  return fallback.count() == 0 ? no_ttl : fallback.count();
}

new_entry read_entry(field_reader& body, std::chrono::milliseconds default_ttl,
                     std::uint64_t max_value_bytes) {
  new_entry result;
  result.ttl_ms = read_ttl(body, default_ttl);
  auto value = body.any("value");
  if (body.failure())
    return result;
  json::to_msgpack(value, *result.bytes);
  if (result.bytes->size() > max_value_bytes)
    body.fail(
      {errc::too_large,
       "a value has at most " + std::to_string(max_value_bytes) + " bytes",
       "value"});
  return result;
}

void put_entry(gateway& g, key_request_ptr what, const new_entry& entry) {
  ask_owner<cache_count>(
    g, std::move(what),
    [entry](const key_request& asked, std::uint64_t epoch) {
      return cache_set{asked.key, *entry.bytes, value_encoding::json,
                       entry.ttl_ms, epoch};
    },
    [ttl_ms = entry.ttl_ms](const key_request& asked, const cache_count&) {
      json data{{"key", asked.key}, {"stored", true}, {"ttl", nullptr}};
      if (ttl_ms != no_ttl)
        data["ttl"] = static_cast<double>(ttl_ms) / 1000;
      respond_data(*asked.exchange, data);
    });
}

void post_entry(gateway& g, routed_request from) {
  auto what = key_of(g, from);
  if (!what)
    return;
  g.read_body(
    what->exchange, {"value", "ttl"},
    [ttl = g.config.default_ttl, most = g.config.max_value_bytes](
      field_reader& body) { return read_entry(body, ttl, most); },
    [&g, what](const new_entry& entry) { put_entry(g, what, entry); });
}

void delete_entry(gateway& g, routed_request from) {
  auto what = key_of(g, from);
  if (!what)
    return;
  ask_owner<cache_count>(
    g, std::move(what),
    [](const key_request& asked, std::uint64_t epoch) {
      return cache_delete{asked.key, epoch};
    },
    [](const key_request& asked, const cache_count& removed) {
      if (removed.count == 0)
        return respond_problem(
          *asked.exchange,
          problem{errc::not_found, "no such key: " + asked.key.substr(0, 200)});
      respond_data(*asked.exchange, {{"key", asked.key}, {"deleted", true}});
    });
}

void clear_cache(gateway& g, routed_request from) {
  g.gather<cache_shard_actor, cache_count>(
    g.all_shards(), cache_clear{},
    [&g, exchange = from.exchange](const gathered<cache_count>& answers) {
      std::uint64_t cleared = 0;
      for (auto& [place, count] : answers.replies)
        cleared += count.count;
      if (answers.unreachable.empty())
        return respond_data(*exchange, {{"cleared", cleared}});
      auto silent = to_text(g.names_of(answers.unreachable));
      respond_problem(*exchange,
                      problem{errc::unavailable,
                              "cleared " + std::to_string(cleared)
                                + " entries, but no answer from " + silent});
    });
}

void get_stats(gateway& g, routed_request from) {
  g.gather<cache_shard_actor, cache_stats>(
    g.all_shards(), get_cache_stats{},
    [&g, exchange = from.exchange](const gathered<cache_stats>& answers) {
      cache_stats sum;
      for (auto& [place, stats] : answers.replies)
        sum += stats;
      auto data = cache_report(sum);
      data["unreachable"] = g.names_of(answers.unreachable);
      respond_data(*exchange, data);
    });
}

} // namespace

void add_cache_routes(gateway_router& routes) {
  constexpr auto key = "/api/infrastructure/cache/keys/:key";
  routes.add(http_verb::get, key, {get_entry});
  routes.add(http_verb::post, key, {post_entry, body_kind::cache_value});
  routes.add(http_verb::delete_, key, {delete_entry});
  routes.add(http_verb::get, "/api/infrastructure/cache/stats", {get_stats});
  routes.add(http_verb::delete_, "/api/infrastructure/cache/clear",
             {clear_cache});
}

} // namespace troupe

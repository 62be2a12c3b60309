#define CAF_SUITE gateway_cache

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

CAF_TEST_FIXTURE_SCOPE(gateway_cache_tests, gateway_fixture)

CAF_TEST(values are cached on the node that owns the key) {
  for (auto owner : {self_id, peer_id}) {
    auto key = key_of(owner);
    auto& cache = owner == self_id ? local_cache : peer_cache;
    auto value = R"({"a":[1,2.5,"é\n"],"b":null})";
    auto stored = ask(http_verb::post, key_path(key),
                      R"({"value":)" + std::string{value} + R"(,"ttl":60})");
    CAF_CHECK_EQUAL(stored.status, 200);
    CAF_CHECK_EQUAL(cache.entries.at(key).ttl_ms, 60'000);
    auto found = get(key_path(key));
    CAF_CHECK_EQUAL(found.status, 200);
    CAF_CHECK_EQUAL(found.data()["key"], key);
    CAF_CHECK_EQUAL(found.data()["value"], json::parse(value));
    CAF_CHECK_EQUAL(found.data()["ttl"], 60);
    CAF_CHECK_EQUAL(cache.epoch, 5u);
    CAF_CHECK_EQUAL(ask(http_verb::delete_, key_path(key)).status, 200);
    check_problem(get(key_path(key)), 404, "not_found");
    check_problem(ask(http_verb::delete_, key_path(key)), 404, "not_found");
  }
}

CAF_TEST(a ttl has a default a none and bounds) {
  auto key = key_of(self_id);
  auto ttl = [&](const std::string& body) {
    CAF_CHECK_EQUAL(ask(http_verb::post, key_path(key), body).status, 200);
    return local_cache.entries.at(key).ttl_ms;
  };
  CAF_CHECK_EQUAL(ttl(R"({"value":1})"), 3'600'000);
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":0})"), 3'600'000);
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":0.25})"), 250);
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":1e-9})"), 1);
  CAF_CHECK_EQUAL(ttl(R"({"value":null,"ttl":null})"), no_ttl);
  CAF_CHECK(get(key_path(key)).field("ttl").is_null());
  CAF_CHECK_EQUAL(ttl(R"({"value":1,"ttl":31536000})"), max_ttl_ms);
  check_problem(ask(http_verb::post, key_path(key),
                    R"({"value":[{"a":{"b":1}},{"a":1,"b":2,"a":3}]})"),
                400, "malformed", "a");
  CAF_CHECK_EQUAL(ttl(R"({"value":[{"a":1},{"a":2,"b":{"a":3}}],"ttl":1})"),
                  1000);
  for (auto bad : {"-1", "31536001", "1e12", "\"60\"", "true"})
    check_problem(ask(http_verb::post, key_path(key),
                      R"({"value":1,"ttl":)" + std::string{bad} + "}"),
                  422, "invalid_field", "ttl");
  check_problem(ask(http_verb::post, key_path(key), "{}"), 422, "invalid_field",
                "value");
}

CAF_TEST(large keys and values are refused) {
  check_problem(get(key_path(std::string(101, 'k'))), 413, "too_large", "key");
  check_problem(ask(http_verb::post, key_path("k"),
                    "{\"value\":\"" + std::string(1001, 'v') + "\"}"),
                413, "too_large", "value");
}

CAF_TEST(raw bytes are shown as text or base64) {
  auto key = key_of(self_id);
  local_cache.entries[key] = {key, "plain \"é\"", value_encoding::raw};
  CAF_CHECK_EQUAL(get(key_path(key)).field("value"), "plain \"é\"");
  local_cache.entries[key].bytes = "\xff\xfe";
  auto data = get(key_path(key)).data();
  CAF_CHECK_EQUAL(data["value"], "//4=");
  CAF_CHECK_EQUAL(data["encoding"], "base64");
  local_cache.entries[key].encoding = value_encoding::json;
  local_cache.entries[key].bytes = "\xc1";
  check_problem(get(key_path(key)), 500, "corrupt");
}

CAF_TEST(a wrong owner is asked again a bounded number of times) {
  auto key = key_of(self_id);
  local_cache.entries[key] = {key, "x", value_encoding::raw};
  local_cache.refusals = {errc::wrong_owner, errc::wrong_owner};
  CAF_CHECK_EQUAL(ask_patiently(http_verb::get, key_path(key)).status, 200);
  local_cache.refusals.assign(10, errc::wrong_owner);
  auto refused = ask_patiently(http_verb::get, key_path(key));
  check_problem(refused, 503, "unavailable");
  CAF_CHECK_NOT_EQUAL(
    refused.error()["detail"].get<std::string>().find("node-1"),
    std::string::npos);
  CAF_CHECK_EQUAL(local_cache.refusals.size(), 7u);
}

CAF_TEST(an unreachable owner is named) {
  names->erase_peer(peer_id);
  auto refused = ask_patiently(http_verb::get, key_path(key_of(peer_id)));
  check_problem(refused, 503, "unavailable");
  CAF_CHECK_NOT_EQUAL(
    refused.error()["detail"].get<std::string>().find("node-2"),
    std::string::npos);
}

CAF_TEST(a key is found where its slot moved to meanwhile) {
  auto key = key_of(peer_id);
  names->erase_peer(peer_id);
  local_cache.entries[key] = {key, "x", value_encoding::raw};
  auto channel = send(http_verb::get, key_path(key));
  CAF_CHECK(!channel->answer);
  alter([](auto& state) {
    auto table = *state.slots;
    table.owner.assign(slot_count, 0);
    ++table.epoch;
    state.slots = std::make_shared<slot_table>(table);
  });
  advance_time(100ms);
  consume_messages();
  CAF_CHECK_EQUAL(read(*channel).status, 200);
  CAF_CHECK_EQUAL(local_cache.epoch, 6u);
}

CAF_TEST(only so many questions are under way to one owner) {
  std::vector<caf::typed_response_promise<cache_value>> asked;
  auto silent = sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[&asked, self](const cache_get&) {
              asked.push_back(self->make_response_promise<cache_value>());
              return asked.back();
            },
            [&asked](tick) {
              auto all = std::move(asked);
              asked.clear();
              for (auto& promise : all)
                promise.deliver(cache_value{"x", value_encoding::raw, no_ttl});
            }};
  });
  peer_actors["cache_shard/0"] = caf::actor_cast<caf::strong_actor_ptr>(silent);
  names->put_peer(peer_id, peer_actors);
  std::vector<caf::intrusive_ptr<recorder>> answers;
  for (int i = 0; i < 80; ++i)
    answers.push_back(send(http_verb::get, key_path(key_of(peer_id))));
  CAF_CHECK_EQUAL(asked.size(), 32u);
  // Another owner has its own.
  CAF_CHECK_EQUAL(get(key_path(key_of(self_id))).status, 404);
  for (std::size_t under_way : {32u, 16u, 0u}) {
    caf::anon_send(silent, tick{});
    consume_messages();
    CAF_CHECK_EQUAL(asked.size(), under_way);
  }
  for (auto& answer : answers)
    CAF_CHECK_EQUAL(read(*answer).status, 200);
}

CAF_TEST(without a slot table keys have no owner) {
  alter([](auto& state) { state.slots = std::make_shared<slot_table>(); });
  check_problem(ask_patiently(http_verb::get, key_path("k")), 503,
                "unavailable");
}

CAF_TEST(the cache is summed and cleared over the nodes) {
  local_cache.entries["a"] = {"a", "x"};
  peer_cache.entries["b"] = {"b", "x"};
  auto data = get(base + "/cache/stats").data();
  CAF_CHECK_EQUAL(data["hits"], 18);
  CAF_CHECK_EQUAL(data["hitRate"], 90.0);
  CAF_CHECK_EQUAL(data["keys"], 2);
  CAF_CHECK_EQUAL(data["memory"]["percentage"], 10.0);
  auto cleared = ask(http_verb::delete_, base + "/cache/clear");
  CAF_CHECK_EQUAL(cleared.data()["cleared"], 2);
  CAF_CHECK(local_cache.entries.empty());
  CAF_CHECK(peer_cache.entries.empty());
  names->erase_peer(peer_id);
  check_problem(ask(http_verb::delete_, base + "/cache/clear"), 503,
                "unavailable");
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE gateway_large_body

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// A value's body of `bytes`, most of them blanks.
std::string padded(std::size_t bytes) {
  std::string result = R"({"value":[1,2])";
  result.append(bytes - result.size() - 1, ' ');
  return result + "}";
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i)
    result.append(i == 0 ? "" : ",").append(text);
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_large_body_tests, gateway_fixture)

CAF_TEST(large bodies are not read on the io thread) {
  auto key = key_of(self_id);
  auto post = [&](std::size_t bytes) {
    return ask(http_verb::post, key_path(key), padded(bytes)).status;
  };
  CAF_CHECK_EQUAL(post(16 << 10), 200);
  CAF_CHECK_EQUAL(reading.bodies, 0u);
  CAF_CHECK_EQUAL(post((16 << 10) + 1), 200);
  CAF_CHECK_EQUAL(reading.bodies, 1u);
  CAF_CHECK_EQUAL(get(key_path(key)).field("value"), json::parse("[1,2]"));
  check_problem(ask(http_verb::post, key_path(key), padded(20'000) + "x"), 400,
                "malformed");
  auto catalog_key = base + "/catalog/keys/k";
  CAF_CHECK_EQUAL(ask(http_verb::put, catalog_key, padded(20'000)).status, 200);
  CAF_CHECK_EQUAL(reading.bodies, 3u);
}

CAF_TEST(the values of a body are bounded) {
  auto key = key_path(key_of(self_id));
  for (auto text : {"[]", "1", R"({"a":1})"}) {
    auto many = R"({"value":[)" + repeated(text, 250'001) + "]}";
    auto refused = ask(http_verb::post, key, many);
    check_problem(refused, 413, "too_large");
    CAF_CHECK_NOT_EQUAL(
      refused.error()["detail"].get<std::string>().find("250000 values"),
      std::string::npos);
  }
  // Commas and brackets within strings are none.
  auto text = R"({"value":")" + std::string(300'000, ',') + "\"}";
  check_problem(ask(http_verb::post, key, text), 413, "too_large", "value");
}

CAF_TEST(a body that nobody waits for any more is not read) {
  auto late =
    request_of(http_verb::post, key_path(key_of(self_id)), padded(20'000),
               {{"Content-Type", "application/json"}});
  late.deadline = std::chrono::steady_clock::time_point{1ns};
  auto channel = send(std::move(late));
  CAF_CHECK_EQUAL(reading.bodies, 1u);
  CAF_CHECK(local_cache.entries.empty());
  CAF_CHECK(!channel->answer.has_value());
}

CAF_TEST(large bodies that wait are bounded) {
  auto key = key_path(key_of(self_id));
  reading.hold = true;
  std::vector<caf::intrusive_ptr<recorder>> waiting;
  for (int i = 0; i < 256; ++i)
    waiting.push_back(send(http_verb::post, key, padded(20'000)));
  auto refused = ask(http_verb::post, key, padded(20'000));
  check_problem(refused, 503, "overloaded");
  CAF_CHECK_EQUAL(refused.headers["Retry-After"], "1");
  // Small ones need not wait.
  CAF_CHECK_EQUAL(ask(http_verb::post, key, padded(100)).status, 200);
  release_bodies();
  for (auto& one : waiting)
    CAF_CHECK_EQUAL(read(*one).status, 200);
  CAF_CHECK_EQUAL(ask(http_verb::post, key, padded(20'000)).status, 200);
}

CAF_TEST(memory is given back after a very large body) {
  std::vector<std::string> calls;
  auto reader = spawn_body_reader(sys, [&] { calls.push_back("give back"); });
  caf::scoped_actor client{sys};
  for (std::size_t bytes : {20'000, 1 << 20, 30'000})
    client
      ->request(reader, caf::infinite,
                body_reading{[&] { calls.push_back("read"); }, bytes})
      .receive([](bool) {}, [](const caf::error&) { CAF_FAIL("no answer"); });
  std::vector<std::string> expected{"read", "read", "give back", "read"};
  CAF_CHECK_EQUAL(calls, expected);
  stop(caf::actor_cast<caf::strong_actor_ptr>(reader));
}

CAF_TEST(without a reader large bodies are refused and small ones read) {
  auto key = key_path(key_of(self_id));
  auto dead = names->local<caf::actor>("body_reader");
  caf::anon_send_exit(dead, caf::exit_reason::kill);
  consume_messages();
  check_problem(ask(http_verb::post, key, padded(20'000)), 503, "unavailable");
  names->erase("body_reader");
  check_problem(ask(http_verb::post, key, padded(20'000)), 503, "unavailable");
  CAF_CHECK_EQUAL(ask(http_verb::post, key, padded(100)).status, 200);
}

CAF_TEST_FIXTURE_SCOPE_END()

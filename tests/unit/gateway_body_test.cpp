#define CAF_SUITE gateway_body

#include "http/gateway/json_fields.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

http_request request(std::string body, std::string_view type = json_type) {
  http_request result;
  result.set_target("/x");
  if (!type.empty())
    result.add_header("content-type", type);
  result.body = std::move(body);
  return result;
}

struct server_fields {
  std::string host;
  std::int64_t port = 0;
  std::int64_t weight = 0;
  std::optional<problem> failure;
};

server_fields read(std::string body, std::string_view type = json_type) {
  auto from = request(std::move(body), type);
  field_reader reader{from, {"host", "port", "weight"}};
  server_fields result;
  result.host = reader.text("host", 10);
  result.port = reader.integer("port", 1, 65535);
  result.weight = reader.integer("weight", 0, 1000, 1);
  result.failure = reader.failure();
  return result;
}

void check_rejected(std::string body, const std::string& field,
                    const std::string& words) {
  CAF_MESSAGE(body.substr(0, 80));
  auto result = read(std::move(body));
  CAF_REQUIRE(result.failure.has_value());
  CAF_CHECK(result.failure->code == errc::invalid_field);
  CAF_CHECK_EQUAL(result.failure->field, field);
  CAF_CHECK_NOT_EQUAL(result.failure->detail.find(words), std::string::npos);
}

void check_malformed(std::string body, const std::string& words) {
  CAF_MESSAGE(body.substr(0, 80));
  auto result = read(std::move(body));
  CAF_REQUIRE(result.failure.has_value());
  CAF_CHECK(result.failure->code == errc::malformed);
  CAF_CHECK_NOT_EQUAL(result.failure->detail.find(words), std::string::npos);
}

} // namespace

CAF_TEST(a right body is read) {
  auto result = read(R"({"host": "a.b", "port": 80, "weight": 7})",
                     "application/json; charset=utf-8");
  CAF_CHECK(!result.failure);
  CAF_CHECK_EQUAL(result.host, "a.b");
  CAF_CHECK_EQUAL(result.port, 80);
  CAF_CHECK_EQUAL(result.weight, 7);
  CAF_CHECK_EQUAL(read(R"({"host": "a", "port": 1})").weight, 1);
}

CAF_TEST(a wrong field is named with its bounds) {
  check_rejected(R"({"host":"a","port":70000})", "port", "1 to 65535");
  check_rejected(R"({"host":"a","port":0})", "port", "1 to 65535");
  check_rejected(R"({"host":"a","port":"80"})", "port", "whole number");
  check_rejected(R"({"host":"a","port":80.5})", "port", "whole number");
  check_rejected(R"({"host":"a","port":true})", "port", "whole number");
  check_rejected(R"({"host":"a","port":18446744073709551615})", "port",
                 "1 to 65535");
  check_rejected(R"({"host":"a","port":1,"weight":-1})", "weight", "0 to 1000");
  check_rejected(R"({"host":"a","port":1,"weight":null})", "weight",
                 "0 to 1000");
  check_rejected(R"({"port":80})", "host", "missing");
  check_rejected(R"({"host":"a"})", "port", "missing");
  check_rejected(R"({"host":"","port":80})", "host", "1 to 10 bytes");
  check_rejected(R"({"host":"aaaaaaaaaaa","port":80})", "host",
                 "1 to 10 bytes");
  check_rejected(R"({"host":5,"port":80})", "host", "string");
  check_rejected(R"({"host":"a","port":80,"wait":1})", "wait",
                 "known are: host, port, weight");
}

CAF_TEST(what is no JSON object is malformed and says where) {
  check_malformed("", "empty");
  check_malformed("{", "line 1, column 2");
  check_malformed("{\"host\":\n  x}", "line 2, column 3");
  check_malformed(R"({"host":"a"} trailing)", "line 1");
  check_malformed("[1]", "array");
  check_malformed("null", "null");
  check_malformed("\"\xff\"", "not JSON");
  check_malformed("{\"port\":1e999}", "not JSON");
}

CAF_TEST(nesting is bounded before there is a tree) {
  check_malformed(std::string(1'000'000, '['), "deeper than 100");
  check_malformed(std::string(101, '{'), "deeper than 100");
  auto parsed = parse_json(std::string(100, '[') + std::string(100, ']'));
  CAF_CHECK(parsed);
  // Brackets within strings are none.
  CAF_CHECK(parse_json('"' + std::string(1000, '[') + '"'));
  CAF_CHECK(parse_json(R"(["\"[", "[[[["])"));
}

CAF_TEST(another content type is refused) {
  auto result = read(R"({"host":"a","port":80})", "text/plain");
  CAF_REQUIRE(result.failure.has_value());
  CAF_CHECK_EQUAL(result.failure->status, 415u);
  CAF_CHECK_EQUAL(result.failure->field, "Content-Type");
}

CAF_TEST(a very long field name is cut) {
  auto result = read("{\"" + std::string(100'000, 'x') + "\":1}");
  CAF_REQUIRE(result.failure.has_value());
  CAF_CHECK(result.failure->detail.size() < 300);
}

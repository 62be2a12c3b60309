// The parts below the options: JSON with lines, nearest names, text rules.

#define CAF_SUITE config_text

#include <array>

#include <caf/test/dsl.hpp>

#include "messages/text_rules.hpp"
#include "node/config/nearest.hpp"
#include "node/config/value.hpp"

using namespace troupe;

namespace {

const config_value& member(const config_value& object, std::string_view key) {
  for (auto& x : std::get<config_object>(object.data))
    if (x.key == key)
      return x.value;
  CAF_FAIL("no such key");
}

config_value parse(std::string_view text) {
  auto result = parse_json(text);
  auto value = std::get_if<config_value>(&result);
  if (!value)
    CAF_FAIL(std::get<syntax_error>(result).what);
  return *value;
}

syntax_error parse_wrong(std::string_view text) {
  auto result = parse_json(text);
  auto error = std::get_if<syntax_error>(&result);
  if (!error)
    CAF_FAIL("was accepted");
  return *error;
}

} // namespace

CAF_TEST(every value knows its line) {
  auto root = parse("{\n"
                    "  // a comment\n"
                    "  \"a\": 1,\n"
                    "  \"b\": 2\n"
                    ",\n"
                    "  /* over\n"
                    "     lines */\n"
                    "  \"c\":\n"
                    "    [ true,\n"
                    "      \"x\", 1.5 ],\n"
                    "  \"d\": { \"e\": null }\n"
                    "}\n");
  CAF_CHECK_EQUAL(root.line, 1u);
  CAF_CHECK_EQUAL(member(root, "a").line, 3u);
  // The lexer reads the line's end to know the number's.
  CAF_CHECK_EQUAL(member(root, "b").line, 4u);
  auto& list = member(root, "c");
  CAF_CHECK_EQUAL(list.line, 9u);
  auto& items = std::get<config_list>(list.data);
  CAF_REQUIRE_EQUAL(items.size(), 3u);
  CAF_CHECK_EQUAL(items[0].line, 9u);
  CAF_CHECK_EQUAL(items[1].line, 10u);
  CAF_CHECK_EQUAL(items[2].line, 10u);
  CAF_CHECK_EQUAL(member(member(root, "d"), "e").line, 11u);
  CAF_CHECK_EQUAL(to_json(root),
                  R"({"a":1,"b":2,"c":[true,"x",1.5],"d":{"e":null}})");
}

CAF_TEST(malformed JSON is refused with line and column) {
  auto error = parse_wrong("{\n  \"a\": 1,\n  \"b\" 2 }");
  CAF_CHECK_EQUAL(error.line, 3u);
  CAF_CHECK_EQUAL(error.column, 8u);
  CAF_CHECK_NOT_EQUAL(error.what.find("expected ':'"), std::string::npos);
  CAF_CHECK_EQUAL(parse_wrong("").line, 1u);
  CAF_CHECK_EQUAL(parse_wrong("{} {}").line, 1u);
  CAF_CHECK_EQUAL(parse_wrong("{\"a\": 1,}").column, 9u);
  auto twice = parse_wrong("{\"a\": 1,\n\"a\": 2}");
  CAF_CHECK_EQUAL(twice.line, 2u);
  CAF_CHECK_EQUAL(twice.what, "the key \"a\" stands here twice");
}

CAF_TEST(what is wrong is told without what was read) {
  for (auto text :
       {"{\"password\": \"s3cret\nvalue\"}", "{\"password\": \"s3cret",
        "{\"password\": s3cret}", "{\"password\": \"s3cret\\x\"}",
        "{\"password\": \"s3cret; expected \nvalue\"}"}) {
    auto error = parse_wrong(text);
    CAF_MESSAGE(error.what);
    CAF_CHECK_EQUAL(error.what.find("s3"), std::string::npos);
    CAF_CHECK_NOT_EQUAL(error.what.find("syntax error"), std::string::npos);
  }
}

CAF_TEST(nesting is bounded) {
  auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  parse(nested(64));
  CAF_CHECK_EQUAL(parse_wrong(nested(65)).what, "nested deeper than 64 levels");
  CAF_CHECK_EQUAL(parse_wrong(std::string(200'000, '[')).column, 65u);
  std::string objects;
  for (int i = 0; i < 200'000; ++i)
    objects += R"({"a":)";
  CAF_CHECK_EQUAL(parse_wrong(objects).what, "nested deeper than 64 levels");
}

CAF_TEST(a number beyond 64 bits is no whole number) {
  auto root = parse("[9223372036854775807, 9223372036854775808]");
  auto& items = std::get<config_list>(root.data);
  CAF_CHECK(std::holds_alternative<std::int64_t>(items[0].data));
  CAF_CHECK(std::holds_alternative<double>(items[1].data));
}

CAF_TEST(the edit distance counts insertions removals replacements and swaps) {
  CAF_CHECK_EQUAL(edit_distance("port", "port"), 0u);
  CAF_CHECK_EQUAL(edit_distance("", "port"), 4u);
  CAF_CHECK_EQUAL(edit_distance("prt", "port"), 1u);
  CAF_CHECK_EQUAL(edit_distance("poort", "port"), 1u);
  CAF_CHECK_EQUAL(edit_distance("pork", "port"), 1u);
  CAF_CHECK_EQUAL(edit_distance("prot", "port"), 1u);
  CAF_CHECK_EQUAL(edit_distance("kitten", "sitting"), 3u);
  CAF_CHECK_EQUAL(edit_distance("API_PORT", "apiPort"), 0u);
}

CAF_TEST(the nearest name is one that was probably meant) {
  constexpr std::array<std::string_view, 4> names = {
    "cluster.port", "cluster.expectedNodes", "proxy.port",
    "cache.memory.maxSize"};
  CAF_CHECK_EQUAL(nearest_name("cluster.expectedNode", names),
                  "cluster.expectedNodes");
  CAF_CHECK_EQUAL(nearest_name("cluster.expected_nodes", names),
                  "cluster.expectedNodes");
  CAF_CHECK_EQUAL(nearest_name("proxi.prot", names), "proxy.port");
  // The right key in the wrong place.
  CAF_CHECK_EQUAL(nearest_name("cache.maxSize", names), "cache.memory.maxSize");
  CAF_CHECK_EQUAL(nearest_name("somethingElse", names), "");
}

CAF_TEST(hosts and addresses) {
  using namespace text_rules;
  for (auto right : {"127.0.0.1", "::1", "localhost", "node-1.example.com",
                     "my_service", "10.0.0.1", "example.com.", "1password.com"})
    CAF_CHECK(host.holds(right));
  for (auto wrong : {"", "a b", "-a", "a..b", "300.1.1.1", "10.0.0", "a/b",
                     "host:80", "http://host"})
    CAF_CHECK(!host.holds(wrong));
  CAF_CHECK(ip_address.holds("0.0.0.0"));
  CAF_CHECK(ip_address.holds("fe80::1"));
  CAF_CHECK(!ip_address.holds("localhost"));
  CAF_CHECK(!ip_address.holds("[::1]"));
  for (auto right : {"a:1", "10.0.0.1:65535", "[::1]:3007"})
    CAF_CHECK(host_and_port.holds(right));
  for (auto wrong : {"a", "a:", "a:0", "a:65536", "a:-1", "a: 1", ":3007",
                     "::1:3007", "[a]:1", "[::1]", "a:1x"})
    CAF_CHECK(!host_and_port.holds(wrong));
}

CAF_TEST(names and paths) {
  using namespace text_rules;
  CAF_CHECK(name.holds("node-1.eu_west"));
  CAF_CHECK(!name.holds(""));
  CAF_CHECK(!name.holds("-a"));
  CAF_CHECK(!name.holds("a b"));
  CAF_CHECK(!name.holds("ä"));
  CAF_CHECK(name.holds(std::string(64, 'a')));
  CAF_CHECK(!name.holds(std::string(65, 'a')));
  CAF_CHECK(optional_name.holds(""));
  CAF_CHECK(url_path.holds("/health?deep=1"));
  CAF_CHECK(!url_path.holds("health"));
  CAF_CHECK(!url_path.holds("/a b"));
  CAF_CHECK(!url_path.holds("/a\r\nX: y"));
}

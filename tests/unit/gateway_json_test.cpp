#define CAF_SUITE gateway_json

#include "http/gateway/json_text.hpp"

#include <limits>

#include <caf/test/dsl.hpp>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>

using namespace troupe;
using nlohmann::json;

namespace {

/// JSON text -> msgpack -> JSON text, as a value goes through the cache.
std::string through(const json& value) {
  std::string bytes;
  json::to_msgpack(value, bytes);
  std::string out;
  CAF_REQUIRE(append_json_of_msgpack(out, bytes));
  return out;
}

bool refused(std::string_view bytes) {
  std::string out;
  return !append_json_of_msgpack(out, bytes);
}

template <class T>
std::string packed(const T& value) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, value);
  return {buffer.data(), buffer.size()};
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

} // namespace

CAF_TEST(values come back as they were) {
  for (auto text : {"null",
                    "true",
                    "false",
                    "0",
                    "-1",
                    "127",
                    "128",
                    "-32",
                    "-33",
                    "4294967296",
                    "18446744073709551615",
                    "-9223372036854775808",
                    "1.5",
                    "-0.25",
                    "1e+300",
                    "3.0",
                    R"("")",
                    R"("a b")",
                    "[]",
                    "{}",
                    "[[],{}]",
                    R"({"a":[1,2,{"b":null}],"c":"d"})",
                    R"([{"x":1.25},"y",[true]])"}) {
    auto value = json::parse(text);
    CAF_CHECK_EQUAL(json::parse(through(value)), value);
  }
}

CAF_TEST(the text is compact) {
  CAF_CHECK_EQUAL(through(json::parse(R"( { "a" : [ 1 , 2 ] , "b" : { } } )")),
                  R"({"a":[1,2],"b":{}})");
}

CAF_TEST(strings are escaped) {
  CAF_CHECK_EQUAL(quoted("a\"b\\c"), R"("a\"b\\c")");
  CAF_CHECK_EQUAL(quoted("\n\r\t\x01\x1f"), R"("\n\r\t\u0001\u001f")");
  CAF_CHECK_EQUAL(quoted(std::string_view{"\0", 1}), R"("\u0000")");
  CAF_CHECK_EQUAL(quoted("\x7f"), "\"\x7f\"");
  CAF_CHECK_EQUAL(quoted("é€😀"), "\"é€😀\"");
}

CAF_TEST(what is not UTF8 becomes the replacement character) {
  const std::string bad = "\xef\xbf\xbd";
  CAF_CHECK_EQUAL(quoted("\xff"), '"' + bad + '"');
  CAF_CHECK_EQUAL(quoted("a\xc3"), "\"a" + bad + '"');
  CAF_CHECK_EQUAL(quoted("\xc3\x28"), '"' + bad + "(\"");
  // Overlong, surrogate, beyond U+10FFFF.
  for (auto text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                    "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\x80"}) {
    CAF_CHECK(!is_utf8(text));
    CAF_CHECK(json::accept(quoted(text)));
  }
  CAF_CHECK(is_utf8("é€😀 plain"));
  CAF_CHECK(is_utf8(""));
}

CAF_TEST(floats read back exactly) {
  for (auto value : {0.1, 1.0 / 3, 1e-300, 123456789.125, -2.5, 1e21,
                     std::numeric_limits<double>::max(),
                     std::numeric_limits<double>::denorm_min()})
    CAF_CHECK_EQUAL(json::parse(number(value)).get<double>(), value);
  CAF_CHECK_EQUAL(number(3), "3.0");
  CAF_CHECK_EQUAL(number(std::numeric_limits<double>::quiet_NaN()), "null");
  CAF_CHECK_EQUAL(number(-std::numeric_limits<double>::infinity()), "null");
}

CAF_TEST(nesting is bounded) {
  auto nested = [](std::size_t depth) {
    std::string bytes(depth, '\x91'); // Arrays of one element.
    return bytes + '\xc0';
  };
  CAF_CHECK(!refused(nested(max_json_depth)));
  CAF_CHECK(refused(nested(max_json_depth + 1)));
  CAF_CHECK(refused(nested(100'000)));
}

CAF_TEST(what is no JSON value is refused) {
  CAF_CHECK(refused(""));
  CAF_CHECK(refused("\xc1"));                  // Never used.
  CAF_CHECK(refused(std::string{"\x01\x02"})); // Trailing bytes.
  CAF_CHECK(refused(std::string{"\xa5"
                                "abc"}));          // Cut.
  CAF_CHECK(refused(std::string{"\x92\x01"}));     // Cut.
  CAF_CHECK(refused(std::string{"\xc4\x01x", 3})); // Binary.
  CAF_CHECK(refused(std::string{"\xd4\x01x", 3})); // Extension.
  CAF_CHECK(refused(packed(std::map<int, int>{{1, 2}})));
  CAF_CHECK(refused(packed(std::map<std::vector<int>, int>{{{}, 2}})));
  CAF_CHECK(refused("\xdd\xff\xff\xff\xff")); // An array of 4 billion.
}

CAF_TEST(every cut of a value is refused) {
  std::string bytes;
  json::to_msgpack(json::parse(R"({"a":[1,2.5,"xyz",{"b":null}],"c":70000})"),
                   bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    CAF_CHECK(refused(std::string_view{bytes}.substr(0, i)));
}

CAF_TEST(base64 pads as RFC 4648 says) {
  CAF_CHECK_EQUAL(to_base64(""), "");
  CAF_CHECK_EQUAL(to_base64("f"), "Zg==");
  CAF_CHECK_EQUAL(to_base64("fo"), "Zm8=");
  CAF_CHECK_EQUAL(to_base64("foo"), "Zm9v");
  CAF_CHECK_EQUAL(to_base64("foob"), "Zm9vYg==");
  CAF_CHECK_EQUAL(to_base64("\xff\xfe"), "//4=");
}

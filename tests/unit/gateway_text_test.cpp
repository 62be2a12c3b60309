// Texts from clients, read byte by byte: percent-encoding and the depth of
// JSON.

#define CAF_SUITE gateway_text

#include "tests/support/precompiled_http.hpp"

#include "http/gateway/json_fields.hpp"
#include "http/gateway/json_text.hpp"
#include "http/gateway/percent.hpp"

using namespace troupe;

namespace {

bool is_accepted(const std::string& text) {
  return static_cast<bool>(parse_json(text));
}

std::string nested(std::size_t depth, const std::string& inside) {
  return std::string(depth, '[') + inside + std::string(depth, ']');
}

} // namespace

CAF_TEST(what stands behind the text is not read) {
  std::string_view longer = "%41%42";
  for (std::size_t size = 0; size <= longer.size(); ++size) {
    auto text = longer.substr(0, size);
    auto decoded = percent_decode(text);
    CAF_MESSAGE(text);
    CAF_CHECK_EQUAL(decoded.has_value(), size % 3 == 0);
    if (decoded)
      CAF_CHECK_EQUAL(*decoded, std::string{"AB"}.substr(0, size / 3));
  }
}

CAF_TEST(exactly the hex digits are hex digits) {
  std::string_view digits = "0123456789abcdefABCDEF";
  for (int c = 0; c < 256; ++c) {
    std::string high{'%', static_cast<char>(c), '1'};
    std::string low{'%', '1', static_cast<char>(c)};
    auto is_digit = digits.find(static_cast<char>(c)) != digits.npos;
    CAF_CHECK_EQUAL(percent_decode(high).has_value(), is_digit);
    CAF_CHECK_EQUAL(percent_decode(low).has_value(), is_digit);
  }
}

CAF_TEST(every byte survives being encoded) {
  std::string_view unreserved = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  for (int c = 0; c < 256; ++c) {
    std::string plain(1, static_cast<char>(c));
    auto encoded = percent_encode(plain);
    auto stays = unreserved.find(plain) != unreserved.npos;
    CAF_CHECK_EQUAL(encoded.size(), stays ? 1u : 3u);
    CAF_CHECK_EQUAL(percent_decode(encoded).value_or("none"), plain);
  }
}

CAF_TEST(json may be nested as deep as the limit and no deeper) {
  CAF_CHECK(is_accepted(nested(max_json_depth, "")));
  CAF_CHECK(!is_accepted(nested(max_json_depth + 1, "")));
  std::string objects;
  for (std::size_t i = 0; i < max_json_depth; ++i)
    objects += R"({"a":)";
  CAF_CHECK(is_accepted(objects + "1" + std::string(max_json_depth, '}')));
  CAF_CHECK(!is_accepted(R"({"a":)" + objects + "1"
                         + std::string(max_json_depth, '}') + "}"));
}

CAF_TEST(what is closed again counts no more) {
  std::string wide = "[";
  for (std::size_t i = 0; i < 4 * max_json_depth; ++i)
    wide += "[],{},";
  CAF_CHECK(is_accepted(wide + "0]"));
  // Closed before it was opened: no JSON, and no depth below nothing.
  CAF_CHECK(!is_accepted("]" + nested(max_json_depth + 1, "")));
}

CAF_TEST(brackets in strings are text) {
  std::string many(4 * max_json_depth, '[');
  CAF_CHECK(is_accepted("[\"" + many + "\"]"));
  // An escaped quote does not end the string, an escaped backslash escapes
  // nothing.
  CAF_CHECK(is_accepted(R"(["\")" + many + R"("])"));
  CAF_CHECK(is_accepted(R"(["\\\")" + many + R"("])"));
  auto behind = nested(max_json_depth, "");
  CAF_CHECK(!is_accepted(R"(["\\",)" + behind + "]"));
  CAF_CHECK(!is_accepted(R"(["\"",)" + behind + "]"));
  CAF_CHECK(is_accepted(R"(["\\",)" + behind.substr(1)));
}

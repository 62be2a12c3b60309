#define CAF_SUITE peer_list

#include "discovery/peer_source/peer_list.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;

namespace {

using texts = std::vector<std::string>;

texts addresses(std::string_view text) {
  texts result;
  for (auto& where : parse_peer_list(text, "peers").addresses)
    result.push_back(to_string(where));
  return result;
}

texts complaints(std::string_view text) {
  return parse_peer_list(text, "/etc/peers").complaints;
}

} // namespace

CAF_TEST(one address a line) {
  CAF_CHECK_EQUAL(addresses("10.0.0.1:3007\nnode-2:3008\n[::1]:1\n"),
                  (texts{"10.0.0.1:3007", "node-2:3008", "[::1]:1"}));
}

CAF_TEST(blanks and comments and line ends of any kind are left out) {
  CAF_CHECK_EQUAL(addresses("# the first two\n\n  a:1\t\r\n \t \nb:2 # here"),
                  (texts{"a:1", "b:2"}));
  CAF_CHECK_EQUAL(addresses(""), texts{});
  CAF_CHECK_EQUAL(addresses("#"), texts{});
  CAF_CHECK_EQUAL(complaints("# a\n\n \t\r\n"), texts{});
}

CAF_TEST(a wrong line is named with what would be right and the others count) {
  CAF_CHECK_EQUAL(addresses("a:1\nb\nc:3\n"), (texts{"a:1", "c:3"}));
  CAF_CHECK_EQUAL(complaints("a:1\nb\nc:3\n"),
                  texts{"/etc/peers:2: is \"b\", must be host:port, as "
                        "10.0.0.5:3007, node-2:3007 or [::1]:3007"});
  CAF_CHECK_EQUAL(complaints("a:1 b:2\na:70000\n::1:3007").size(), 3u);
}

CAF_TEST(bytes that are no text do no harm to the log) {
  std::string text = "\x1b[31m\x01\xff";
  text += '\0';
  text.append(100, 'x');
  auto said = complaints(text);
  CAF_REQUIRE_EQUAL(said.size(), 1u);
  CAF_CHECK(
    said[0].starts_with("/etc/peers:1: is \"\\x1b[31m\\x01\\xff\\x00xxxx"));
  CAF_CHECK(said[0].find("xxx...\", must be") != std::string::npos);
}

CAF_TEST(a file that is no list is not complained of line by line) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "nonsense\n";
  auto said = complaints(text);
  CAF_CHECK_EQUAL(said.size(), 11u);
  CAF_CHECK_EQUAL(said.back(), "/etc/peers: 990 more lines are wrong");
}

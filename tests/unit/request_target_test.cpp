#define CAF_SUITE request_target

#include "http/parsing/request_target.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;
using namespace std::string_view_literals;

CAF_TEST(hosts and ports) {
  for (auto right :
       {"shop", "shop.example", "shop.example.", "a_b-c~d", "shop:80",
        "shop:", "shop:0", "shop:65535", "10.0.0.1:80", "[::1]", "[::1]:80",
        "[::1]:", "[2001:db8::10.0.0.1]", "a%20b", "x!$&'()*+,;=", "1"})
    if (!is_authority(right))
      CAF_ERROR("not taken: " << right);
  for (auto wrong :
       {"",          ":",           ":80",        "a:80:81",
        "shop:evil", "shop:8 0",    "shop:65536", "shop:99999999999",
        "shop:-1",   "shop:+1",     "shop:0x50",  "[::1",
        "[x]",       "[]",          "[::1]x",     "[::1]80",
        "[::1]:x",   "[::1]:80:81", "[::1%eth0]", "[v1.x]",
        "::1",       "[::1]]",      "[[::1]]",    "a]",
        "a[",        "u@h",         "u:p@h",      "a b",
        "a/b",       "a?b",         "a#b",        "a\\b",
        "a\"b",      "a<b",         "a%",         "a%2",
        "a%zz",      "\xc3\xa4",    "[1.2.3.4]"})
    if (is_authority(wrong))
      CAF_ERROR("taken: " << wrong);
  CAF_CHECK(!is_authority("a\0b"sv));
  CAF_CHECK(!is_authority("[::1\0]"sv));
  CAF_CHECK(!is_authority("shop:80\0"sv));
  // Only a field may be empty.
  CAF_CHECK(is_host_field(""));
  CAF_CHECK(is_host_field("shop:80"));
  CAF_CHECK(!is_host_field(" "));
  CAF_CHECK(!is_host_field(":"));
}

CAF_TEST(targets) {
  auto path = [](std::string_view text) {
    auto target = read_target(text);
    CAF_CHECK(target.wrong.empty());
    return std::string{target.authority} + " " + std::string{target.path};
  };
  CAF_CHECK_EQUAL(path("/"), " /");
  CAF_CHECK_EQUAL(path("/a?b=/c"), " /a?b=/c");
  CAF_CHECK_EQUAL(path("//a"), " //a");
  CAF_CHECK_EQUAL(path("*"), " *");
  CAF_CHECK_EQUAL(path("http://shop/a?b"), "shop /a?b");
  CAF_CHECK_EQUAL(path("HTTP://shop:80?b"), "shop:80 ?b");
  CAF_CHECK_EQUAL(path("http://[::1]"), "[::1] ");
  for (auto wrong :
       {"", "a", "?a", "shop:80", "http:", "http:/a", "http://", "http:///a",
        "http://?a", "http://u@h/", "http://a:b/", "https://shop/",
        "ftp://shop/", "/a#b", "http://shop/#", "http://shop#a", "**", "*/"})
    if (read_target(wrong).wrong.empty())
      CAF_ERROR("taken: " << wrong);
}

#define CAF_SUITE address

#include "messages/address.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;

CAF_TEST(an endpoint is read as it is printed) {
  for (auto text : {"10.0.0.5:3007", "node-2:1", "a.example.org.:65535",
                    "[::1]:3007", "[fe80::1]:3007"}) {
    auto where = parse_endpoint(text);
    CAF_REQUIRE(where);
    CAF_CHECK_EQUAL(to_string(*where), text);
  }
  auto without_brackets = parse_endpoint("[::1]:3007");
  CAF_REQUIRE(without_brackets);
  CAF_CHECK_EQUAL(without_brackets->host, "::1");
}

CAF_TEST(anything else is no endpoint) {
  for (auto text :
       {"",      ":",        "a",           "a:",         ":1",
        "a:0",   "a:65536",  "a:-1",        "a: 1",       "a:1 ",
        "a b:1", "::1:3007", "[::1]",       "[a]:1",      "[10.0.0.1]:1",
        "[]:1",  "[:1",      "300.1.1.1:1", "http://a:1", "a..b:1",
        "-a:1"})
    CAF_CHECK(!parse_endpoint(text));
  CAF_CHECK(!parse_endpoint(std::string_view{"10.0.0.1\0x:1", 12}));
}

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

CAF_TEST(each host has one spelling) {
  for (auto name : {"localhost", "LOCALHOST", "Localhost."})
    CAF_CHECK_EQUAL(canonical_host(name), "localhost");
  for (auto address : {"::1", "0:0:0:0:0:0:0:1", "0000::0001"})
    CAF_CHECK_EQUAL(canonical_host(address), "::1");
  for (auto address : {"127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1"})
    CAF_CHECK_EQUAL(canonical_host(address), "127.0.0.1");
  CAF_CHECK_EQUAL(canonical_host("FE80:0::A"), "fe80::a");
  CAF_CHECK_EQUAL(canonical_host("Shop.Example.ORG."), "shop.example.org");
}

CAF_TEST(endpoints are compared by what they mean) {
  auto same = [](const char* one, const char* other) {
    return same_endpoint(*parse_endpoint(one), *parse_endpoint(other));
  };
  CAF_CHECK(same("LOCALHOST:80", "localhost.:80"));
  CAF_CHECK(same("localhost:80", "127.0.0.1:80"));
  CAF_CHECK(same("[0::1]:80", "api.localhost:80"));
  CAF_CHECK(same("[::ffff:10.0.0.1]:80", "10.0.0.1:80"));
  CAF_CHECK(!same("localhost:80", "localhost:81"));
  CAF_CHECK(!same("localhost:80", "127.0.0.2:80"));
  CAF_CHECK(!same("127.0.0.1:80", "[::1]:80"));
  CAF_CHECK(!same("a:80", "b:80"));
}

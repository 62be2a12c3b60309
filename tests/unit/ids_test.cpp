#define CAF_SUITE ids

#include "messages/ids.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;

CAF_TEST(a member id survives printing and parsing) {
  for (auto value : {1ull, 0xabcdefull, ~0ull})
    CAF_CHECK(parse_member_id(to_string(member_id{value})) == member_id{value});
  CAF_CHECK_EQUAL(to_string(member_id{0xbeef}), "000000000000beef");
}

CAF_TEST(only sixteen hex digits other than zero are a member id) {
  for (auto text :
       {"", "1", "0000000000000000", "00000000000000001", "000000000000000g",
        "-000000000000001", "0x00000000000001", " 00000000000000f"})
    CAF_CHECK(!parse_member_id(text));
}

CAF_TEST(times are printed as RFC 3339 with milliseconds) {
  CAF_CHECK_EQUAL(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  CAF_CHECK_EQUAL(to_rfc3339(1'769'860'800'007), "2026-01-31T12:00:00.007Z");
}

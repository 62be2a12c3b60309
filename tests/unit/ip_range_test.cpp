#define CAF_SUITE ip_range

#include "messages/ip_range.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

bool within(std::string_view range, std::string_view address) {
  auto parsed = parse_ip_range(range);
  return parsed && contains({*parsed}, address);
}

} // namespace

CAF_TEST(a range has the addresses that begin as it does) {
  CAF_CHECK(within("10.0.0.0/8", "10.0.0.0"));
  CAF_CHECK(within("10.0.0.0/8", "10.255.255.255"));
  CAF_CHECK(!within("10.0.0.0/8", "11.0.0.0"));
  CAF_CHECK(!within("10.0.0.0/8", "9.255.255.255"));
  CAF_CHECK(within("10.1.2.128/25", "10.1.2.128"));
  CAF_CHECK(!within("10.1.2.128/25", "10.1.2.127"));
  CAF_CHECK(within("192.168.1.7/31", "192.168.1.6"));
  CAF_CHECK(!within("192.168.1.7/31", "192.168.1.8"));
  CAF_CHECK(within("fd00::/8", "fdff:1::1"));
  CAF_CHECK(!within("fd00::/8", "fe00::1"));
  CAF_CHECK(within("2001:db8::/33", "2001:db8:7fff::"));
  CAF_CHECK(!within("2001:db8::/33", "2001:db8:8000::"));
}

CAF_TEST(an address is a range of one and no bits are all addresses) {
  CAF_CHECK(within("10.0.0.1", "10.0.0.1"));
  CAF_CHECK(!within("10.0.0.1", "10.0.0.0"));
  CAF_CHECK(within("::1", "::1"));
  CAF_CHECK(!within("::1", "::2"));
  CAF_CHECK(within("0.0.0.0/0", "255.1.2.3"));
  CAF_CHECK(!within("0.0.0.0/0", "::1"));
  CAF_CHECK(within("::/0", "255.1.2.3"));
}

CAF_TEST(an IPv4 address is the same however a socket names it) {
  CAF_CHECK(within("10.0.0.0/8", "::ffff:10.1.2.3"));
  CAF_CHECK(within("::ffff:10.0.0.0/104", "10.1.2.3"));
}

CAF_TEST(what is no range is none) {
  for (auto text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+1",
        "10.0.0.0/8/8", "10.0.0.0/8 ", "10.0.0/8", "localhost", "::/129",
        "[::1]", "fd00::%eth0/8", "10.0.0.0/a", "10.0.0.0/8a"})
    if (parse_ip_range(text))
      CAF_ERROR("taken: " << text);
  CAF_CHECK(!parse_ip_range(std::string_view{"10.0.0.1\0", 9}));
  CAF_CHECK(!within("10.0.0.0/8", "10.0.0.1.example"));
  CAF_CHECK(!within("10.0.0.0/8", ""));
}

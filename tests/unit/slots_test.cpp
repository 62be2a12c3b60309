#define CAF_SUITE slots

#include "messages/slots.hpp"

#include <caf/test/dsl.hpp>

#include "messages/ids.hpp"

using namespace troupe;

// Values of `CLUSTER KEYSLOT`.
CAF_TEST(keys have the slots that Redis Cluster gives them) {
  CAF_CHECK_EQUAL(slot_of("123456789"), 0x31c3u);
  CAF_CHECK_EQUAL(slot_of("foo"), 12182u);
  CAF_CHECK_EQUAL(slot_of("bar"), 5061u);
  CAF_CHECK_EQUAL(slot_of("hello"), 866u);
  CAF_CHECK_EQUAL(slot_of(""), 0u);
}

CAF_TEST(only a hash tag counts when there is one) {
  CAF_CHECK_EQUAL(slot_of("{user1000}.following"), slot_of("user1000"));
  CAF_CHECK_EQUAL(slot_of("{user1000}.followers"), slot_of("user1000"));
  CAF_CHECK_EQUAL(slot_of("foo{bar}{zap}"), slot_of("bar"));
  CAF_CHECK_EQUAL(slot_of("foo{{bar}}zap"), slot_of("{bar"));
}

CAF_TEST(an empty or open tag does not count) {
  CAF_CHECK_NOT_EQUAL(slot_of("foo{}{bar}"), slot_of("bar"));
  CAF_CHECK_NOT_EQUAL(slot_of("foo{}{bar}"), slot_of("foo"));
  CAF_CHECK_NOT_EQUAL(slot_of("foo{bar"), slot_of("bar"));
  CAF_CHECK_NOT_EQUAL(slot_of("}foo{"), slot_of("foo"));
}

CAF_TEST(slots stay in range and are all used) {
  std::vector<bool> seen(slot_count);
  for (int i = 0; i < 400'000; ++i) {
    auto slot = slot_of("key:" + std::to_string(i));
    CAF_REQUIRE_LESS(slot, slot_count);
    seen[slot] = true;
  }
  CAF_CHECK_EQUAL(std::count(seen.begin(), seen.end(), false), 0);
}

#define CAF_SUITE redis_registration

#include "discovery/peer_source/redis_registration.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;

CAF_TEST(a key names the cluster and the node) {
  CAF_CHECK_EQUAL(registration_key("shop", member_id{0xabc}),
                  "troupe:shop:node:0000000000000abc");
  CAF_CHECK_EQUAL(registration_pattern("shop"), "troupe:shop:node:*");
}

CAF_TEST(an error reply comes with what to do about it) {
  CAF_CHECK_EQUAL(advice_for("NOAUTH Authentication required."),
                  "; set discovery.redis.password");
  CAF_CHECK_EQUAL(advice_for("WRONGPASS invalid username-password pair or "
                             "user is disabled."),
                  "; correct discovery.redis.password");
  CAF_CHECK_EQUAL(advice_for("ERR invalid password"),
                  "; correct discovery.redis.password");
  CAF_CHECK_EQUAL(advice_for("ERR AUTH <password> called without any password "
                             "configured for the default user."),
                  "; leave discovery.redis.password empty");
  CAF_CHECK_EQUAL(advice_for("LOADING Redis is loading the dataset in memory"),
                  "; it answers once its data is loaded");
  CAF_CHECK_EQUAL(advice_for("ERR something new"), "");
}

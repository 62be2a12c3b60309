#define CAF_SUITE directory

#include "messages/directory.hpp"

#include <caf/all.hpp>

#include <caf/test/dsl.hpp>

using namespace troupe;

namespace {

caf::behavior idle() {
  return {[](int) {}};
}

struct fixture : test_coordinator_fixture<> {
  directory names;
  caf::actor first = sys.spawn(idle);
  caf::actor second = sys.spawn(idle);

  static caf::strong_actor_ptr handle(const caf::actor& x) {
    return caf::actor_cast<caf::strong_actor_ptr>(x);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(directory_tests, fixture)

CAF_TEST(an actor is found by its name until it is erased) {
  names.put("balancer", handle(first));
  CAF_CHECK(names.local<caf::actor>("balancer") == first);
  names.put("balancer", handle(second));
  CAF_CHECK(names.local<caf::actor>("balancer") == second);
  names.erase("balancer");
  CAF_CHECK(!names.local<caf::actor>("balancer"));
  names.erase("balancer");
}

CAF_TEST(peers have names of their own) {
  names.put("balancer", handle(first));
  names.put_peer(member_id{7}, {{"balancer", handle(second)}});
  CAF_CHECK(names.local<caf::actor>("balancer") == first);
  CAF_CHECK(names.peer<caf::actor>(member_id{7}, "balancer") == second);
  CAF_CHECK(!names.peer<caf::actor>(member_id{7}, "scaler"));
  CAF_CHECK(!names.peer<caf::actor>(member_id{8}, "balancer"));
  names.erase_peer(member_id{7});
  CAF_CHECK(!names.peer<caf::actor>(member_id{7}, "balancer"));
}

CAF_TEST(a snapshot does not change and a reader follows) {
  auto reader = names.reader();
  CAF_CHECK(reader.get().local.empty());
  auto before = names.get();
  names.put("balancer", handle(first));
  CAF_CHECK(before->local.empty());
  CAF_CHECK_EQUAL(reader.get().local.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

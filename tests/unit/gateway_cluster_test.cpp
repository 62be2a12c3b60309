#define CAF_SUITE gateway_cluster

#include "gateway_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr auto third_id = member_id{3};

const auto nodes = base + "/cluster/nodes/";

struct fixture : gateway_fixture {
  fixture() {
    alter([](auto& state) {
      state.members[third_id] = member_of(third_id, "node-3");
    });
  }

  json quorum() { return get(base + "/cluster").field("quorum"); }

  const member& at(member_id id) {
    last = view->get();
    return last->members.at(id);
  }

  std::shared_ptr<const cluster_state> last;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_cluster_tests, fixture)

CAF_TEST(the quorum counts who answers whatever the last verdicts say) {
  auto before = quorum();
  CAF_CHECK_EQUAL(before["voters"], 3);
  CAF_CHECK_EQUAL(before["needed"], 2);
  CAF_CHECK_EQUAL(before["alive"], 2);
  CAF_CHECK_EQUAL(before["reached"], true);
  names->erase_peer(peer_id);
  auto alone = quorum();
  CAF_CHECK_EQUAL(alone["alive"], 1);
  CAF_CHECK_EQUAL(alone["reached"], false);
  auto dashboard = get(base + "/dashboard").data();
  CAF_CHECK_EQUAL(dashboard["cluster"]["quorum"], alone);
}

CAF_TEST(a node without a quorum says who is silent) {
  alter([](auto& state) { state.leader = member_id::none; });
  auto reason = [&] {
    auto answer = get("/ready");
    check_problem(answer, 503, "unavailable");
    return answer.error()["detail"].get<std::string>();
  };
  CAF_CHECK_EQUAL(reason(), "no leader is known");
  names->erase_peer(peer_id);
  CAF_CHECK_EQUAL(reason(),
                  "no leader is known, and there is no quorum for one: 1 of 3 "
                  "voters answer, 2 must; silent: node-2, node-3");
}

CAF_TEST(who is removed by name is the one that lives) {
  alter([](auto& state) {
    state.members[third_id].info.name = "node-2";
    state.members[third_id].state = verdict::down;
  });
  auto answer = ask(http_verb::delete_, nodes + "node-2");
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK_EQUAL(answer.data()["id"], to_string(peer_id));
  CAF_CHECK(at(peer_id).dismissed);
  CAF_CHECK(!at(third_id).dismissed);
  // Now only the other can be meant.
  CAF_CHECK_EQUAL(ask(http_verb::delete_, nodes + "node-2").field("id"),
                  to_string(third_id));
  CAF_CHECK(at(third_id).dismissed);
}

CAF_TEST(a name that several nodes have removes none) {
  alter([](auto& state) {
    state.members[third_id].info.name = "node-2";
    state.members[third_id].state = verdict::down;
    state.members[peer_id].state = verdict::left;
  });
  auto refused = ask(http_verb::delete_, nodes + "node-2");
  check_problem(refused, 409, "conflict", "id");
  auto detail = refused.error()["detail"].get<std::string>();
  for (auto id : {peer_id, third_id}) {
    CAF_CHECK_NOT_EQUAL(detail.find(to_string(id)), std::string::npos);
    CAF_CHECK(!at(id).dismissed);
  }
  auto by_id = ask(http_verb::delete_, nodes + to_string(third_id));
  CAF_CHECK_EQUAL(by_id.status, 200);
  CAF_CHECK(at(third_id).dismissed);
  CAF_CHECK(!at(peer_id).dismissed);
  check_problem(ask(http_verb::delete_, nodes + "nobody"), 404, "not_found",
                "id");
}

CAF_TEST(a removal says what quorum is left and may be forced) {
  auto left =
    ask(http_verb::delete_, nodes + "node-3?force=true").field("quorum");
  CAF_CHECK_EQUAL(at(third_id).reason, "by force");
  CAF_CHECK_EQUAL(left["voters"], 2);
  CAF_CHECK_EQUAL(left["needed"], 2);
  CAF_CHECK_EQUAL(left["alive"], 2);
  CAF_CHECK_EQUAL(left["reached"], true);
  CAF_CHECK_EQUAL(ask(http_verb::delete_, nodes + "node-2?force=false").status,
                  200);
  CAF_CHECK_EQUAL(at(peer_id).reason, "in order");
  check_problem(ask(http_verb::delete_, nodes + "node-1?force=yes"), 422,
                "invalid_field", "force");
  CAF_CHECK(!at(self_id).dismissed);
}

CAF_TEST_FIXTURE_SCOPE_END()

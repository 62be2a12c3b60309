#define CAF_SUITE compatibility

#include "discovery/peering/compatibility.hpp"

#include <caf/test/unit_test.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

hello make_node(std::uint64_t id, std::string name) {
  hello result;
  result.info.id = member_id{id};
  result.info.name = std::move(name);
  result.cluster_name = "troupe";
  result.shared_settings = {{"cluster.electionTimeout", "300"}};
  return result;
}

std::string refusal(const hello& own, const hello& other) {
  auto problem = check_compatible(own, other);
  return problem ? describe(problem).detail : "";
}

} // namespace

CAF_TEST(alike nodes fit) {
  auto own = make_node(1, "a");
  auto other = make_node(2, "b");
  CAF_CHECK_EQUAL(refusal(own, other), "");
  own.cluster_uuid = "u1";
  CAF_CHECK_EQUAL(refusal(own, other), "");
  other.cluster_uuid = "u1";
  CAF_CHECK_EQUAL(refusal(own, other), "");
}

CAF_TEST(a version one apart fits and two apart does not ) {
  auto own = make_node(1, "a");
  auto other = make_node(2, "b");
  other.info.protocol = own.info.protocol + 1;
  CAF_CHECK_EQUAL(refusal(own, other), "");
  other.info.protocol = own.info.protocol + 2;
  CAF_CHECK_EQUAL(refusal(own, other),
                  "protocol version differs: a has '1', b has '3'");
}

CAF_TEST(what differs is named with both values) {
  auto own = make_node(1, "a");
  auto other = make_node(2, "b");
  other.cluster_name = "circus";
  CAF_CHECK_EQUAL(refusal(own, other),
                  "cluster.name differs: a has 'troupe', b has 'circus'");
  other = make_node(2, "b");
  own.cluster_uuid = "u1";
  other.cluster_uuid = "u2";
  CAF_CHECK_EQUAL(refusal(own, other),
                  "cluster uuid differs: a has 'u1', b has 'u2'");
  other = make_node(2, "b");
  other.shared_settings["cluster.electionTimeout"] = "1000";
  CAF_CHECK_EQUAL(refusal(own, other),
                  "cluster.electionTimeout differs: a has '300', b has '1000'");
  other.shared_settings.clear();
  CAF_CHECK_EQUAL(
    refusal(own, other),
    "cluster.electionTimeout differs: a has '300', b has 'nothing'");
}

CAF_TEST(two nodes can not share a name) {
  CAF_CHECK_EQUAL(refusal(make_node(1, "a"), make_node(2, "a")),
                  "two nodes are named 'a'; give each its own node.name");
  CAF_CHECK_EQUAL(refusal(make_node(1, "a"), make_node(1, "a")), "");
}

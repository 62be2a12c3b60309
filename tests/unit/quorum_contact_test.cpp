#define CAF_SUITE quorum_contact

#include "tests/support/precompiled.hpp"

#include "discovery/raft/quorum_contact.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr member_id a{1};
constexpr member_id b{2};
constexpr member_id c{3};
constexpr member_id d{4};

raft_configuration_servers voters(std::initializer_list<member_id> ids) {
  raft_configuration_servers result;
  for (auto id : ids)
    result.push_back({id, raft_role::voter});
  return result;
}

} // namespace

CAF_TEST(a single voter is its own quorum) {
  quorum_contact contact;
  CAF_CHECK(contact.latest(voters({a}), a, 70ms) == 70ms);
}

CAF_TEST(a majority counts from the time its messages were sent) {
  quorum_contact contact;
  CAF_CHECK(!contact.latest(voters({a, b, c}), a, 70ms));
  contact.answered(b, 20ms);
  CAF_CHECK(contact.latest(voters({a, b, c}), a, 70ms) == 20ms);
  contact.answered(c, 50ms);
  CAF_CHECK(contact.latest(voters({a, b, c}), a, 70ms) == 50ms);
  // A late answer to an early message takes nothing back.
  contact.answered(c, 10ms);
  CAF_CHECK(contact.latest(voters({a, b, c}), a, 70ms) == 50ms);
}

CAF_TEST(half of an even number is no majority) {
  quorum_contact contact;
  contact.answered(b, 60ms);
  CAF_CHECK(!contact.latest(voters({a, b, c, d}), a, 70ms));
  contact.answered(d, 40ms);
  CAF_CHECK(contact.latest(voters({a, b, c, d}), a, 70ms) == 40ms);
}

CAF_TEST(a stand - by counts for nothing) {
  quorum_contact contact;
  auto servers = voters({a, b, c});
  servers.push_back({d, raft_role::standby});
  contact.answered(d, 60ms);
  CAF_CHECK(!contact.latest(servers, a, 70ms));
}

CAF_TEST(a new term begins without contact) {
  quorum_contact contact;
  contact.answered(b, 60ms);
  contact.reset();
  CAF_CHECK(!contact.latest(voters({a, b, c}), a, 70ms));
}

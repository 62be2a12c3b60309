#define CAF_SUITE credential_source

#include "discovery/certificates/credential_source.hpp"

#include <caf/test/unit_test.hpp>

#include "tests/support/certificate_folder.hpp"

using namespace troupe;

CAF_TEST_FIXTURE_SCOPE(credential_source_tests, certificate_folder)

CAF_TEST(replaced files are used and broken ones are not ) {
  auto by = authority();
  node("node-1", by);
  auto source = credential_source::open(files("node-1"), "troupe");
  CAF_REQUIRE(source);
  auto first = (*source)->current();
  CAF_CHECK(first == (*source)->current());
  // Half of a replacement: the old pair stays.
  auto next =
    made(issue_node({"node-1", {}, now, std::chrono::hours{20}}, by, "ca"));
  write("node-1.pem", next.certificate);
  CAF_CHECK(first == (*source)->current());
  write("node-1.key", next.key);
  auto second = (*source)->current();
  CAF_CHECK(first != second);
  CAF_CHECK(second->valid_until() > first->valid_until());
  write("ca.pem", "nonsense");
  CAF_CHECK(second == (*source)->current());
  std::filesystem::remove(file("ca.pem"));
  CAF_CHECK(second == (*source)->current());
}

CAF_TEST(it does not open with broken files) {
  authority();
  CAF_CHECK(!credential_source::open(files("node-1"), "troupe"));
}

CAF_TEST_FIXTURE_SCOPE_END()

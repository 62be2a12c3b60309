#define CAF_SUITE identity

#include "discovery/identity/identity.hpp"

#include <fstream>

#include <stdlib.h>

#include <caf/test/unit_test.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

struct fixture {
  std::filesystem::path folder;

  fixture() {
    std::string name = std::filesystem::temp_directory_path() / "identXXXXXX";
    folder = ::mkdtemp(name.data());
  }

  ~fixture() { std::filesystem::remove_all(folder); }

  std::shared_ptr<identity> open() {
    auto result = identity::open(folder, "troupe");
    CAF_REQUIRE(result);
    return *result;
  }

  error_view refusal(const std::string& cluster_name) {
    auto result = identity::open(folder, cluster_name);
    CAF_REQUIRE(!result);
    return describe(result.error());
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(identity_tests, fixture)

CAF_TEST(the id stays and the incarnation grows) {
  auto first = open()->get();
  CAF_CHECK(first.id != member_id::none);
  CAF_CHECK_EQUAL(first.incarnation, 1u);
  auto second = open()->get();
  CAF_CHECK(second.id == first.id);
  CAF_CHECK_EQUAL(second.incarnation, 2u);
}

CAF_TEST(a pledge survives a restart until there is a cluster) {
  {
    auto self = open();
    CAF_CHECK(self->get().pledge.pledged_to == member_id::none);
    CAF_CHECK(!self->keep_pledge({member_id{5}, false}));
  }
  {
    auto self = open();
    CAF_CHECK(self->get().pledge.pledged_to == member_id{5});
    CAF_CHECK(!self->get().pledge.founds);
    CAF_CHECK(!self->keep_pledge({member_id{6}, true}));
  }
  auto self = open();
  CAF_CHECK(self->get().pledge.pledged_to == member_id{6});
  CAF_CHECK(self->get().pledge.founds);
  CAF_CHECK(!self->bind_to_cluster("troupe", "u1"));
  CAF_CHECK(self->get().pledge.pledged_to == member_id::none);
  CAF_CHECK(!open()->get().pledge.founds);
}

CAF_TEST(a directory belongs to one cluster) {
  auto self = open();
  CAF_CHECK(!self->bind_to_cluster("troupe", "u1"));
  CAF_CHECK(!self->bind_to_cluster("troupe", "u1"));
  CAF_CHECK(self->bind_to_cluster("troupe", "u2"));
  auto problem = refusal("circus");
  CAF_CHECK(problem.code == errc::incompatible);
  CAF_CHECK(problem.detail.find("belongs to cluster 'troupe'")
            != std::string::npos);
  CAF_CHECK(open()->get().cluster_uuid == "u1");
}

CAF_TEST(an unreadable file is an error and is left alone) {
  open();
  auto file = folder / "identity.json";
  std::ofstream{file} << "{\"id\": \"12\"";
  CAF_CHECK(refusal("troupe").code == errc::corrupt);
  std::ofstream{file} << "{\"id\": \"12\", \"incarnation\": 1}";
  auto problem = refusal("troupe");
  CAF_CHECK(problem.code == errc::corrupt);
  CAF_CHECK(problem.detail.find("id is not 16 hex digits")
            != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()

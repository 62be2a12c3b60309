#define CAF_SUITE certs

#include "node/certs.hpp"

#include <filesystem>

#include <sys/stat.h>

#include <caf/test/unit_test.hpp>

#include "discovery/certificates/credentials.hpp"
#include "messages/error.hpp"
#include "tests/support/certificate_folder.hpp"

using namespace troupe;

namespace {

struct fixture : certificate_folder {
  certs_authority_command ca{.out = file("ca"), .cluster = "troupe"};
  certs_node_command node_1{.authority = file("ca"),
                            .out = file("out"),
                            .name = "node-1",
                            .hosts = {"localhost"}};

  std::string text_of(const std::string& name) {
    auto text = read_pem_file(file(name));
    CAF_REQUIRE(text);
    return std::move(*text);
  }

  ::mode_t mode_of(const std::string& name) {
    struct ::stat found {};
    CAF_REQUIRE_EQUAL(::stat(file(name).c_str(), &found), 0);
    return found.st_mode & 0777;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(certs_tests, fixture)

CAF_TEST(the files make a node) {
  CAF_REQUIRE(run_certs(ca, now));
  CAF_REQUIRE(run_certs(node_1, now));
  CAF_CHECK_EQUAL(mode_of("ca/ca.key"), 0600u);
  CAF_CHECK_EQUAL(mode_of("out/node-1.key"), 0600u);
  CAF_CHECK(credentials::load(
    {file("out/node-1.pem"), file("out/node-1.key"), file("ca/ca.pem")},
    "troupe", now));
}

CAF_TEST(nothing is overwritten without force) {
  CAF_REQUIRE(run_certs(ca, now));
  auto before = text_of("ca/ca.key");
  auto again = run_certs(ca, now);
  CAF_REQUIRE(!again);
  CAF_CHECK(describe(again.error()).code == errc::conflict);
  CAF_CHECK_EQUAL(text_of("ca/ca.key"), before);
  ca.force = true;
  CAF_CHECK(run_certs(ca, now));
  CAF_CHECK_NOT_EQUAL(text_of("ca/ca.key"), before);
  std::size_t files = 0;
  for (auto& entry : std::filesystem::directory_iterator{path / "ca"}) {
    static_cast<void>(entry);
    ++files;
  }
  CAF_CHECK_EQUAL(files, 2u);
}

CAF_TEST(without an authority there is no node) {
  auto made = run_certs(node_1, now);
  CAF_REQUIRE(!made);
  CAF_CHECK_EQUAL(describe(made.error()).detail,
                  "can't read " + file("ca/ca.pem")
                    + ": No such file or directory");
}

CAF_TEST_FIXTURE_SCOPE_END()

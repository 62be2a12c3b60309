#define CAF_SUITE certificates

#include "discovery/certificates/credentials.hpp"

#include <caf/test/unit_test.hpp>

#include "discovery/certificates/node_role.hpp"
#include "messages/error.hpp"
#include "tests/support/certificate_folder.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct fixture : certificate_folder {
  /// What is wrong with these files, or an empty text.
  std::string complaint(const tls_files& files, certificate_time at) {
    auto loaded = credentials::load(files, "troupe", at);
    return loaded ? std::string{} : describe(loaded.error()).detail;
  }

  std::string complaint(const tls_files& files) {
    return complaint(files, now);
  }

  bool contains(const std::string& text, const std::string& part) {
    if (text.find(part) != text.npos)
      return true;
    CAF_MESSAGE("not in: " << text);
    return false;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(certificates_tests, fixture)

CAF_TEST(a node role is a URI) {
  node_role role{"circus", "node-1"};
  CAF_CHECK_EQUAL(to_uri(role), "troupe://circus/node/node-1");
  CAF_CHECK(parse_node_uri(to_uri(role)) == role);
  for (auto wrong :
       {"", "https://circus/node/node-1", "troupe://circus", "troupe:///node/x",
        "troupe://circus/node/", "troupe://circus/user/x",
        "troupe://circus/node/x/y", "troupe://circus/authority"})
    CAF_CHECK(!parse_node_uri(wrong));
}

CAF_TEST(what is issued fits together) {
  auto by = authority();
  node("node-1", by);
  auto loaded = credentials::load(files("node-1"), "troupe", now);
  CAF_REQUIRE(loaded);
  CAF_CHECK(contains((*loaded)->summary(), "CN=node-1"));
  auto end = (*loaded)->valid_until();
  CAF_CHECK(end > now + 9h);
  CAF_CHECK(end <= now + 10h);
}

CAF_TEST(what is issued says what it is) {
  auto by = authority("ca", "circus");
  auto made = node("node-1", by);
  auto parsed = parse_certificates(made.certificate, "node-1");
  CAF_REQUIRE(parsed);
  auto& certificate = *parsed->front();
  CAF_CHECK(role_of(certificate) == (node_role{"circus", "node-1"}));
  CAF_CHECK_EQUAL(subject_of(certificate), "O=circus, CN=node-1");
  CAF_CHECK_EQUAL(issuer_of(certificate),
                  "O=circus, CN=troupe authority of circus");
  CAF_CHECK_EQUAL(X509_check_ip_asc(parsed->front().get(), "127.0.0.1", 0), 1);
  auto root = parse_certificates(by.certificate, "ca");
  CAF_CHECK(cluster_of_authority(*root->front()) == "circus");
  CAF_CHECK(!role_of(*root->front()));
}

CAF_TEST(an unreadable file is named) {
  auto by = authority();
  node("node-1", by);
  auto which = files("node-1");
  which.key = file("nothing.key");
  CAF_CHECK_EQUAL(complaint(which), "tls.key: can't read " + file("nothing.key")
                                      + ": No such file or directory");
  which = files("node-1");
  write("empty.pem", "");
  which.authority = file("empty.pem");
  CAF_CHECK(contains(complaint(which), "tls.authority: " + file("empty.pem")
                                         + " holds no certificate"));
  which = files("node-1");
  write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"
                      "-----END CERTIFICATE-----\n");
  which.certificate = file("broken.pem");
  CAF_CHECK(contains(complaint(which), "can't be read"));
  which = files("node-1");
  which.key = which.certificate;
  CAF_CHECK(contains(complaint(which), "holds no usable private key"));
}

CAF_TEST(the key must be that of the certificate) {
  auto by = authority();
  node("node-1", by);
  node("node-2", by);
  auto which = files("node-1");
  which.key = file("node-2.key");
  CAF_CHECK(contains(complaint(which), "tls.key: " + file("node-2.key")
                                         + " is not the key of the certificate "
                                         + file("node-1.pem")));
}

CAF_TEST(the authority must have signed it) {
  authority();
  node("node-1", authority("other"));
  CAF_CHECK(contains(complaint(files("node-1")),
                     "is not signed by the cluster's authority"));
  CAF_CHECK_EQUAL(complaint(files("node-1", "other")), "");
}

CAF_TEST(one of several authorities suffices) {
  auto first = authority("first");
  auto second = authority("second");
  node("node-1", second);
  write("both.pem", first.certificate + second.certificate);
  CAF_CHECK_EQUAL(complaint(files("node-1", "both")), "");
}

CAF_TEST(validity has two ends) {
  auto by = authority();
  node("node-1", by);
  CAF_CHECK(contains(complaint(files("node-1"), now + 11h), "expired on "));
  CAF_CHECK(contains(complaint(files("node-1"), now - 2h), "valid only from "));
}

CAF_TEST(the certificate must be for a node of this cluster) {
  auto by = authority("ca", "circus");
  node("node-1", by);
  CAF_CHECK(contains(complaint(files("node-1")),
                     "is for nodes of cluster 'circus', must be for 'troupe'"));
  CAF_CHECK(contains(complaint(files("ca")), "certificate"));
}

CAF_TEST(an authority signs no longer than it lives) {
  auto by = authority();
  auto made = issue_node({"node-1", {}, now, 1001h}, by, "folder");
  CAF_REQUIRE(!made);
  CAF_CHECK(contains(describe(made.error()).detail,
                     "folder: the authority expires on "));
}

CAF_TEST(only an authority signs) {
  auto by = authority();
  auto other = node("node-1", by);
  auto made = issue_node({"node-2", {}, now, 1h}, other, "folder");
  CAF_REQUIRE(!made);
  CAF_CHECK(contains(describe(made.error()).detail,
                     "is not of an authority that troupe certs ca made"));
}

CAF_TEST(a host is a name or an address) {
  auto by = authority();
  CAF_CHECK(
    issue_node({"a", {"db.example", "::1", "10.0.0.1"}, now, 1h}, by, "ca"));
  for (auto wrong : {"", "a,URI:troupe://troupe/node/x", "a b", "a\nb"}) {
    auto made = issue_node({"a", {wrong}, now, 1h}, by, "ca");
    CAF_REQUIRE(!made);
    CAF_CHECK(contains(describe(made.error()).detail,
                       "must be a DNS name or an IP address"));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()

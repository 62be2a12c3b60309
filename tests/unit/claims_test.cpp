#define CAF_SUITE claims

#include "tests/support/precompiled.hpp"

#include "discovery/peering/claims.hpp"
#include "messages/limits.hpp"

using namespace troupe;

namespace {

node_info honest() {
  node_info result;
  result.id = member_id{7};
  result.name = "node-7";
  result.version = "0.1.0";
  result.cluster = {"node-7.example", 3007};
  result.api = {"10.0.0.7", 3006};
  return result;
}

/// The field at fault after `change`, or nothing.
template <class Change>
std::string fault(Change change) {
  auto info = honest();
  change(info);
  return describe(check_claims(info)).field;
}

template <class Change>
std::string fault_of_greeting(Change change) {
  hello greeting;
  greeting.info = honest();
  change(greeting);
  return describe(check_claims(greeting)).field;
}

} // namespace

CAF_TEST(an honest node may come in) {
  CAF_CHECK(!check_claims(honest()));
}

CAF_TEST(each field that others use is checked) {
  CAF_CHECK_EQUAL(fault([](auto& x) { x.id = member_id::none; }), "id");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.name.clear(); }), "node.name");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.name = "a\n[error] b"; }), "node.name");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.name = std::string(65, 'a'); }),
                  "node.name");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.version = "1\r\n2"; }), "version");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.version = std::string(257, '1'); }),
                  "version");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.io_threads = 0; }), "io_threads");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.io_threads = max_io_threads + 1; }),
                  "io_threads");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.cluster.host = "a b"; }),
                  "cluster address");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.cluster.port = 0; }),
                  "cluster address");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.api.host = "a\n"; }),
                  "client addresses");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.proxy.host = "a/b"; }),
                  "client addresses");
  CAF_CHECK_EQUAL(fault([](auto& x) { x.resp.host = std::string(300, 'a'); }),
                  "client addresses");
}

CAF_TEST(each part of a greeting is checked) {
  CAF_CHECK_EQUAL(fault_of_greeting([](auto& x) { x.info.io_threads = 0; }),
                  "io_threads");
  CAF_CHECK_EQUAL(
    fault_of_greeting([](auto& x) { x.cluster_name = std::string(257, 'a'); }),
    "cluster.name");
  CAF_CHECK_EQUAL(fault_of_greeting([](auto& x) { x.cluster_uuid = "\x01"; }),
                  "cluster uuid");
  CAF_CHECK_EQUAL(
    fault_of_greeting([](auto& x) { x.shared_settings["a"] = "\n"; }),
    "shared settings");
  CAF_CHECK_EQUAL(fault_of_greeting([](auto& x) {
                    for (int i = 0; i < 257; ++i)
                      x.shared_settings[std::to_string(i)] = "1";
                  }),
                  "shared settings");
  CAF_CHECK_EQUAL(fault_of_greeting([](auto&) {}), "actors");
}

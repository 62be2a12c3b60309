#define CAF_SUITE router

#include "http/gateway/router.hpp"

#include <caf/test/dsl.hpp>

using namespace troupe;
using boost::beast::http::verb;

namespace {

struct fixture {
  router<int> routes;

  fixture() {
    routes.add(verb::get, "/health", 1);
    routes.add(verb::get, "/keys/:key", 2);
    routes.add(verb::post, "/keys/:key", 3);
    routes.add(verb::get, "/keys/all", 4);
    routes.add(verb::put, "/servers/:id/maintenance", 5);
  }

  int find(verb method, std::string_view path) {
    auto found = routes.find(method, path);
    return found.handler == nullptr ? 0 : *found.handler;
  }

  std::string key(std::string_view path) {
    auto found = routes.find(verb::get, path);
    return found.handler == nullptr ? "?" : found.params.at("key");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_tests, fixture)

CAF_TEST(a method and a path find their handler) {
  CAF_CHECK_EQUAL(find(verb::get, "/health"), 1);
  CAF_CHECK_EQUAL(find(verb::get, "/keys/a"), 2);
  CAF_CHECK_EQUAL(find(verb::post, "/keys/a"), 3);
  CAF_CHECK_EQUAL(find(verb::put, "/servers/server-1/maintenance"), 5);
}

CAF_TEST(a fixed path goes before a pattern) {
  CAF_CHECK_EQUAL(find(verb::get, "/keys/all"), 4);
}

CAF_TEST(HEAD finds the handler of GET) {
  CAF_CHECK_EQUAL(find(verb::head, "/health"), 1);
  CAF_CHECK_EQUAL(find(verb::head, "/keys/a"), 2);
}

CAF_TEST(unknown paths are told apart from unknown methods) {
  auto unknown = [&](std::string_view path) {
    return routes.find(verb::get, path).outcome
           == routing_outcome::unknown_path;
  };
  for (auto path : {"", "/", "health", "/health/", "/Health", "/keys", "/keys/",
                    "/keys/a/b", "/servers//maintenance", "//", "/keys//"})
    CAF_CHECK(unknown(path));
  auto other = routes.find(verb::delete_, "/keys/a");
  CAF_CHECK(other.outcome == routing_outcome::other_methods);
  CAF_CHECK_EQUAL(other.allow, "OPTIONS, GET, HEAD, POST");
  auto fixed = routes.find(verb::unknown, "/health");
  CAF_CHECK(fixed.outcome == routing_outcome::other_methods);
}

CAF_TEST(parameters are decoded within their segment) {
  CAF_CHECK_EQUAL(key("/keys/user%3A1"), "user:1");
  CAF_CHECK_EQUAL(key("/keys/a%2Fb"), "a/b");
  CAF_CHECK_EQUAL(key("/keys/a+b"), "a+b");
  CAF_CHECK_EQUAL(key("/keys/%00"), std::string(1, '\0'));
  CAF_CHECK_EQUAL(key("/keys/%C3%A9"), "é");
}

CAF_TEST(a broken escape is malformed) {
  for (auto path : {"/keys/%", "/keys/%2", "/keys/%zz", "/keys/a%2"})
    CAF_CHECK(routes.find(verb::get, path).outcome
              == routing_outcome::malformed_path);
}

CAF_TEST(encoding leaves nothing that a path would misread) {
  CAF_CHECK_EQUAL(percent_encode("a/b c~é"), "a%2Fb%20c~%C3%A9");
}

CAF_TEST_FIXTURE_SCOPE_END()

#define CAF_SUITE gateway_refusals

#include "gateway_fixture.hpp"
#include "http/gateway/host_rules.hpp"
#include "http/gateway/routes.hpp"
#include "messages/keys.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

struct fixture : gateway_fixture {
  /// Calls `visit(method, path, route)` for each route, with `x` for what the
  /// path names.
  template <class Visit>
  static void each_route(Visit visit) {
    auto count = 0;
    api_routes().each(
      [&](http_verb method, std::string_view pattern, const api_route& what) {
        std::string path{pattern};
        for (auto i = path.find("/:"); i != std::string::npos;
             i = path.find("/:", i))
          path.replace(i + 1, path.find('/', i + 1) - i - 1, "x");
        CAF_MESSAGE(boost::beast::http::to_string(method) << " " << path);
        visit(method, path, what);
        ++count;
      });
    CAF_CHECK_GREATER(count, 15);
  }

  response ask_with(header_list headers, http_verb method = http_verb::get,
                    std::string_view target = "/health",
                    std::string body = {}) {
    return read(*send(method, target, std::move(body), std::move(headers)));
  }

  int status_for_host(std::string host) {
    return ask_with({{"Host", std::move(host)}}).status;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_refusals_tests, fixture)

CAF_TEST(every route refuses parameters that it does not know) {
  each_route(
    [&](http_verb method, const std::string& path, const api_route& what) {
      auto refused = ask(method, path + "?nonsense=1");
      check_problem(refused, 400, "malformed", "nonsense");
      auto detail = refused.error()["detail"].get<std::string>();
      for (auto known : what.query)
        CAF_CHECK_NOT_EQUAL(detail.find(known), std::string::npos);
      if (what.query.empty() && method != http_verb::get)
        CAF_CHECK_NOT_EQUAL(detail.find("takes none"), std::string::npos);
    });
}

CAF_TEST(every route refuses a parameter that stands there twice) {
  each_route(
    [&](http_verb method, const std::string& path, const api_route& what) {
      auto known = what.query;
      if (method == http_verb::get)
        known.emplace_back("consistent");
      for (auto name : known) {
        auto twice = std::string{name} + "=true&" + std::string{name} + "=true";
        check_problem(ask(method, path + "?" + twice), 400, "malformed",
                      std::string{name});
      }
    });
}

CAF_TEST(a body is refused where none is taken) {
  each_route(
    [&](http_verb method, const std::string& path, const api_route& what) {
      if (what.body == body_kind::none)
        check_problem(ask(method, path, R"({"prefix":"user:"})"), 400,
                      "malformed", "body");
    });
}

CAF_TEST(a body must say that it is JSON and have known fields only) {
  auto before = view->version();
  each_route(
    [&](http_verb method, const std::string& path, const api_route& what) {
      if (what.body == body_kind::none)
        return;
      for (auto type : {"", "text/plain", "application/x-www-form-urlencoded",
                        "multipart/form-data; boundary=x", "application/jsonx",
                        "text/plain; application/json"})
        check_problem(ask_with({{"Content-Type", type}}, method, path, "{}"),
                      415, "malformed", "Content-Type");
      auto unknown = ask(method, path, R"({"nonsense":1})");
      check_problem(unknown, 422, "invalid_field", "nonsense");
    });
  CAF_CHECK_EQUAL(view->version(), before);
}

CAF_TEST(a clear that is to be of some keys clears none) {
  local_cache.entries["user:1"] = {};
  local_cache.entries["order:1"] = {};
  auto clear = base + "/cache/clear";
  CAF_CHECK_EQUAL(ask(http_verb::delete_, clear + "?prefix=user:").status, 400);
  CAF_CHECK_EQUAL(ask(http_verb::delete_, clear, R"({"prefix":"u"})").status,
                  400);
  CAF_CHECK_EQUAL(local_cache.entries.size(), 2u);
  CAF_CHECK_EQUAL(ask(http_verb::delete_, clear).field("cleared"), 2);
}

CAF_TEST(pages of other sites are refused) {
  auto before = view->version();
  auto server = R"({"host":"a","port":80})";
  auto post = [&](header_list headers) {
    headers.emplace_back("Host", "localhost:3006");
    headers.emplace_back("Content-Type", "application/json");
    return ask_with(std::move(headers), http_verb::post, servers, server);
  };
  for (auto origin :
       {"http://evil.example", "null", "http://localhost:3007",
        "http://localhost", "http://localhost:3006.evil.example",
        "http://evil.example/localhost:3006", "file://", "localhost:3006"})
    check_problem(post({{"Origin", origin}}), 403, "malformed", "Origin");
  check_problem(post({{"Sec-Fetch-Site", "cross-site"}}), 403, "malformed",
                "Sec-Fetch-Site");
  check_problem(ask_with({{"Origin", "http://evil.example"}}), 403, "malformed",
                "Origin");
  CAF_CHECK_EQUAL(view->version(), before);
  CAF_CHECK_EQUAL(post({{"Origin", "http://localhost:3006"},
                        {"Sec-Fetch-Site", "same-origin"}})
                    .status,
                  201);
  // Node's fetch, and curl.
  CAF_CHECK_EQUAL(post({{"Sec-Fetch-Mode", "cors"}}).status, 201);
  CAF_CHECK_EQUAL(post({}).status, 201);
}

CAF_TEST(a link from another site may be followed) {
  header_list link{{"Sec-Fetch-Site", "cross-site"},
                   {"Sec-Fetch-Mode", "navigate"},
                   {"Sec-Fetch-Dest", "document"}};
  CAF_CHECK_EQUAL(ask_with(link).status, 200);
  link[2].second = "iframe";
  CAF_CHECK_EQUAL(ask_with(link).status, 403);
  link[2].second = "document";
  link.emplace_back("Content-Type", "application/json");
  CAF_CHECK_EQUAL(ask_with(link, http_verb::post, servers, "{}").status, 403);
}

CAF_TEST(a host that others may have made point here is refused) {
  for (auto host : {"evil.example", "evil.example:3006", "127.0.0.1.evil.com",
                    "localhost.evil.example", "evillocalhost.com", "1.2.3.4.5",
                    "node-1.evil.example", "user@evil.example"}) {
    auto refused = ask_with({{"Host", host}});
    check_problem(refused, 421, "malformed", "Host");
    CAF_CHECK_NOT_EQUAL(
      refused.error()["detail"].get<std::string>().find("node.allowedHosts"),
      std::string::npos);
  }
  for (auto host : {"127.0.0.1", "10.0.0.7:3006", "[::1]:3006", "[fe80::1]",
                    "localhost", "LOCALHOST:3006", "localhost.",
                    "app.localhost:3006", "troupe", "troupe-node-1:3006",
                    "troupe.default.svc.cluster.local", "a.internal", ""})
    CAF_CHECK_EQUAL(status_for_host(host), 200);
}

CAF_TEST(names of the cluster and those that are allowed are no strangers) {
  CAF_CHECK_EQUAL(status_for_host("one.example.org"), 421);
  CAF_CHECK_EQUAL(status_for_host("API.example.org.:443"), 200);
  alter([](auto& state) {
    state.members[peer_id].info.name = "one.example.org";
    state.members[peer_id].info.api = {"two.example.org", 3006};
  });
  CAF_CHECK_EQUAL(status_for_host("one.example.org"), 200);
  CAF_CHECK_EQUAL(status_for_host("Two.example.org:3006"), 200);
  CAF_CHECK_EQUAL(status_for_host("three.example.org"), 421);
}

CAF_TEST(an absolute target names a host too) {
  CAF_CHECK_EQUAL(get("http://evil.example/health").status, 421);
  CAF_CHECK_EQUAL(get("http://localhost:3006/health").status, 200);
  // It is for a path to have what looks like a URI.
  CAF_CHECK_EQUAL(get(key_path("k") + "/http://evil.example").status, 404);
}

CAF_TEST(each route has the body limit of what it takes) {
  server_config server;
  server.max_body_bytes = 1 << 20;
  gateway_config settings;
  settings.max_value_bytes = 5 << 20;
  auto limits = api_server_config(server, settings);
  auto limit = [&](http_verb method, const std::string& path) {
    return limits.body_limit(method, path);
  };
  constexpr std::uint64_t few = 16 << 10;
  CAF_CHECK_EQUAL(limit(http_verb::post, key_path("k")),
                  (10u << 20) + (64 << 10));
  CAF_CHECK_EQUAL(limit(http_verb::put, base + "/catalog/keys/k"),
                  2 * max_catalog_value_bytes + (64 << 10));
  CAF_CHECK_EQUAL(limit(http_verb::post, servers), few);
  CAF_CHECK_EQUAL(limit(http_verb::put, servers + "/s/maintenance"), few);
  CAF_CHECK_EQUAL(limit(http_verb::get, key_path("k")), few);
  CAF_CHECK_EQUAL(limit(http_verb::put, key_path("k")), few);
  CAF_CHECK_EQUAL(limit(http_verb::post, "/nowhere"), few);
  server.max_body_bytes = 1000;
  limits = api_server_config(server, settings);
  CAF_CHECK_EQUAL(limit(http_verb::post, servers), 1000u);
}

CAF_TEST_FIXTURE_SCOPE_END()

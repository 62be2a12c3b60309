#define CAF_SUITE problem

#include "http/gateway/problem.hpp"
#include "http/proxy/problem.hpp"

#include <set>

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

using namespace troupe;
using nlohmann::json;

CAF_TEST(every error code has a status and a title of its own) {
  std::set<std::string_view> titles;
  for (auto i = static_cast<int>(errc::malformed);
       i <= static_cast<int>(errc::internal); ++i) {
    auto code = static_cast<errc>(i);
    auto kind = kind_of(code);
    CAF_CHECK(kind.status >= 400 && kind.status < 600);
    CAF_CHECK(!kind.title.empty());
    CAF_CHECK(titles.insert(kind.title).second);
    CAF_CHECK_NOT_EQUAL(to_string(code), "none");
  }
}

CAF_TEST(the statuses are those that the codes promise) {
  CAF_CHECK_EQUAL(kind_of(errc::malformed).status, 400u);
  CAF_CHECK_EQUAL(kind_of(errc::invalid_field).status, 422u);
  CAF_CHECK_EQUAL(kind_of(errc::not_found).status, 404u);
  CAF_CHECK_EQUAL(kind_of(errc::method_not_allowed).status, 405u);
  CAF_CHECK_EQUAL(kind_of(errc::conflict).status, 409u);
  CAF_CHECK_EQUAL(kind_of(errc::too_large).status, 413u);
  CAF_CHECK_EQUAL(kind_of(errc::no_quorum).status, 503u);
  CAF_CHECK_EQUAL(kind_of(errc::timed_out).status, 504u);
  CAF_CHECK_EQUAL(kind_of(static_cast<errc>(200)).status, 500u);
}

CAF_TEST(a problem carries the members of RFC 9457) {
  auto text = render({errc::invalid_field, "'port' is \"bad\"\n", "port"},
                     "/servers", "r-1");
  auto parsed = json::parse(text);
  CAF_CHECK_EQUAL(parsed["success"], false);
  auto& error = parsed["error"];
  CAF_CHECK_EQUAL(error["type"], "urn:troupe:problem:invalid_field");
  CAF_CHECK_EQUAL(error["title"], "Invalid field");
  CAF_CHECK_EQUAL(error["status"], 422);
  CAF_CHECK_EQUAL(error["detail"], "'port' is \"bad\"\n");
  CAF_CHECK_EQUAL(error["instance"], "/servers");
  CAF_CHECK_EQUAL(error["code"], "invalid_field");
  CAF_CHECK_EQUAL(error["field"], "port");
  CAF_CHECK_EQUAL(error["requestId"], "r-1");
}

CAF_TEST(an answer ends its line on the terminal of who asked) {
  CAF_CHECK(render({errc::not_found, "x"}, "/", "r").ends_with("}\n"));
  std::string response;
  proxying::append_problem(response, {.status = 502, .detail = "x"});
  CAF_CHECK(response.ends_with("}\n"));
  auto length = response.size() - response.find("\r\n\r\n") - 4;
  CAF_CHECK_NOT_EQUAL(
    response.find("Content-Length: " + std::to_string(length) + "\r\n"),
    response.npos);
}

CAF_TEST(a problem without a field says none) {
  auto parsed = json::parse(render({errc::not_found, "x"}, "/", "r"));
  CAF_CHECK(!parsed["error"].contains("field"));
}

CAF_TEST(a more precise status replaces that of the code) {
  auto parsed = json::parse(render({errc::too_large, "x", {}, 431}, "/", "r"));
  CAF_CHECK_EQUAL(parsed["error"]["status"], 431);
  CAF_CHECK_EQUAL(parsed["error"]["code"], "too_large");
}

CAF_TEST(bytes of a client never break the JSON) {
  auto parsed =
    json::parse(render({errc::not_found, "\xff\xfe\x01"}, "/\xc3", "\"\\"));
  CAF_CHECK_EQUAL(parsed["error"]["requestId"], "\"\\");
}

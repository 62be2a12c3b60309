#define CAF_SUITE error

#include "messages/error.hpp"

#include <caf/all.hpp>

#include <caf/test/dsl.hpp>

#include "messages/command.hpp"

using namespace troupe;

CAF_TEST(an error carries its code and detail and field) {
  auto view = describe(make_error(errc::too_large, "17 bytes", "value"));
  CAF_CHECK(view.code == errc::too_large);
  CAF_CHECK_EQUAL(view.detail, "17 bytes");
  CAF_CHECK_EQUAL(view.field, "value");
  CAF_CHECK_EQUAL(describe(make_error(errc::conflict, "x")).field, "");
}

CAF_TEST(every code has a name of its own) {
  std::set<std::string_view> names;
  for (auto code = 1; code <= static_cast<int>(errc::internal); ++code)
    names.insert(to_string(static_cast<errc>(code)));
  CAF_CHECK_EQUAL(names.size(), static_cast<std::size_t>(errc::internal));
  CAF_CHECK(!names.contains("none"));
  CAF_CHECK_EQUAL(to_string(errc::wrong_owner), "wrong_owner");
}

CAF_TEST(errors of the framework become ours) {
  CAF_CHECK(describe(caf::sec::request_timeout).code == errc::timed_out);
  CAF_CHECK(describe(caf::sec::request_receiver_down).code
            == errc::unavailable);
  CAF_CHECK(describe(caf::exit_reason::kill).code == errc::unavailable);
  CAF_CHECK(describe(caf::sec::unexpected_message).code == errc::internal);
}

CAF_TEST(a result of a command is an error when its code says so) {
  CAF_CHECK(!apply_result{}.failure());
  apply_result refused;
  refused.code = static_cast<std::uint8_t>(errc::not_found);
  refused.detail = "no such server";
  refused.field = "id";
  auto view = describe(refused.failure());
  CAF_CHECK(view.code == errc::not_found);
  CAF_CHECK_EQUAL(view.detail, "no such server");
  CAF_CHECK_EQUAL(view.field, "id");
}

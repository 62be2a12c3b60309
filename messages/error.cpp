#include "messages/error.hpp"

#include <array>

#include <caf/all.hpp>

namespace troupe {

namespace {

constexpr auto category = caf::atom("troupe");

constexpr std::array<std::string_view, 18> names = {
  "none",
  "malformed",
  "invalid_field",
  "not_found",
  "method_not_allowed",
  "conflict",
  "too_large",
  "overloaded",
  "no_quorum",
  "not_leader",
  "wrong_owner",
  "unavailable",
  "timed_out",
  "shutting_down",
  "incompatible",
  "storage_failed",
  "corrupt",
  "internal",
};

errc translate(const caf::error& what) {
  if (what == caf::sec::request_timeout)
    return errc::timed_out;
  if (what == caf::sec::request_receiver_down
      || what.category() == caf::atom("exit"))
    return errc::unavailable;
  return errc::internal;
}

} // namespace

std::string_view to_string(errc code) {
  auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "internal";
}

caf::error make_error(errc code, std::string detail, std::string field) {
  return {static_cast<std::uint8_t>(code), category,
          caf::make_message(std::move(detail), std::move(field))};
}

error_view describe(const caf::error& what) {
  if (what.category() != category)
    return {translate(what), caf::to_string(what), {}};
  error_view result{static_cast<errc>(what.code()), {}, {}};
  auto& context = what.context();
  if (context.match_elements<std::string, std::string>()) {
    result.detail = context.get_as<std::string>(0);
    result.field = context.get_as<std::string>(1);
  }
  return result;
}

} // namespace troupe

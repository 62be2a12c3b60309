#include "http/gateway/problem.hpp"

#include "http/gateway/json_text.hpp"

namespace troupe {

problem_kind kind_of(errc code) {
  switch (code) {
    case errc::malformed:
      return {400, "Malformed request"};
    case errc::invalid_field:
      return {422, "Invalid field"};
    case errc::not_found:
      return {404, "Not found"};
    case errc::method_not_allowed:
      return {405, "Method not allowed"};
    case errc::conflict:
      return {409, "Conflict"};
    case errc::too_large:
      return {413, "Too large"};
    case errc::overloaded:
      return {503, "Overloaded"};
    case errc::no_quorum:
      return {503, "No quorum"};
    case errc::not_leader:
      return {503, "Not the leader"};
    case errc::wrong_owner:
      return {503, "Not the slot's owner"};
    case errc::unavailable:
      return {503, "Unavailable"};
    case errc::timed_out:
      return {504, "Timed out"};
    case errc::shutting_down:
      return {503, "Shutting down"};
    case errc::incompatible:
      return {409, "Incompatible"};
    case errc::storage_failed:
      return {500, "Storage failed"};
    case errc::corrupt:
      return {500, "Corrupt data"};
    case errc::internal:
      return {500, "Internal error"};
  }
  return {500, "Internal error"};
}

std::string render(const problem& what, std::string_view instance,
                   std::string_view request_id) {
  auto kind = kind_of(what.code);
  std::string out;
  out.reserve(320 + what.detail.size() + instance.size());
  auto member = [&](std::string_view name, std::string_view value) {
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
    out += ',';
  };
  out += R"({"success":false,"error":{)";
  member("type", "urn:troupe:problem:" + std::string{to_string(what.code)});
  member("title", kind.title);
  out += R"("status":)";
  out += std::to_string(what.status != 0 ? what.status : kind.status);
  out += ',';
  member("detail", what.detail);
  member("instance", instance);
  member("code", to_string(what.code));
  if (!what.field.empty())
    member("field", what.field);
  member("requestId", request_id);
  out.back() = '}';
  out += "}\n";
  return out;
}

std::string render_failure(const request_failure& what) {
  return render({what.code, what.detail, what.field, what.status}, what.path,
                what.request_id);
}

void respond_problem(http_exchange& exchange, const problem& what) {
  auto& request = exchange.request();
  http_response answer;
  answer.status = what.status != 0 ? what.status : kind_of(what.code).status;
  answer.body = render(what, request.path(), request.request_id);
  if (answer.status == 503)
    answer.headers.emplace_back("Retry-After", "1");
  exchange.respond(std::move(answer));
}

void respond_problem(http_exchange& exchange, const caf::error& what) {
  auto view = describe(what);
  respond_problem(exchange, problem{view.code, std::move(view.detail),
                                    std::move(view.field)});
}

} // namespace troupe

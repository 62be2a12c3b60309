#include <optional>

#include <boost/beast/http/error.hpp>

#include "http/server/request_parser.hpp"
#include "http/server/server.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/oracles.hpp"
#include "tests/fuzz/strict_reader.hpp"

namespace troupe::fuzz {

namespace {

struct taken_request {
  std::string target;
  std::string body;
  std::string request_id;

  bool operator==(const taken_request&) const = default;
};

/// A connection's requests as the API reads them.
struct conversation {
  std::vector<taken_request> taken;
  std::size_t used = 0;
  std::string refused;
  std::string left;
  /// A field that is not what the strict reader read.
  std::string wrong;

  bool operator==(const conversation& other) const {
    return taken == other.taken && used == other.used
           && refused == other.refused;
  }
};

/// Whether each field that was sent is there under its name.
std::string wrong_field(const http_request& got, const message& sent) {
  for (auto& [name, ignored] : sent.fields)
    if (got.header(name) != *sent.value(name))
      return "another field: " + name;
  return {};
}

conversation read(const input& from, const std::vector<std::size_t>& cuts) {
  server_config config;
  config.max_header_bytes = 2048;
  config.max_body_bytes = 512;
  conversation result;
  std::optional<request_parser> parser;
  strict_reader strict{from.text};
  std::size_t used = 0;
  for (auto end : cuts)
    for (;;) {
      if (!parser) {
        while (from.text.substr(used, end - used).starts_with("\r\n"))
          used += 2;
        if (auto rest = from.text.substr(used, end - used);
            rest.empty() || rest == "\r")
          break;
        parser.emplace(config, nullptr);
      }
      boost::system::error_code failure;
      used += parser->parse(from.text.substr(used, end - used), failure);
      if (failure == boost::beast::http::error::need_more)
        break;
      if (failure) {
        auto why = parser->why_refused(failure);
        result.refused = std::to_string(why.status) + " " + why.detail;
        parser->parse(from.text.substr(used), failure);
        parser->parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", failure);
        if (!failure || parser->is_done() || parser->is_header_done())
          result.left = "went on";
        return result;
      }
      auto& request = parser->request;
      result.taken.push_back(
        {std::string{request.target()}, request.body, request.request_id});
      result.used = used;
      while (strict.rest().starts_with("\r\n"))
        strict = strict_reader{strict.rest().substr(2)};
      message sent;
      if (strict.read_request(sent) != verdict::whole)
        result.wrong = "taken, but no request";
      else if (sent.start[1] != request.target() || sent.body != request.body)
        result.wrong = "another request: " + sent.start[1];
      else
        result.wrong = wrong_field(request, sent);
      auto keeps = parser->keep_alive();
      parser.reset();
      if (!keeps || !result.wrong.empty())
        return result;
      if (used == end)
        break;
    }
  return result;
}

} // namespace

std::string wrong_with_parsed_requests(std::string_view bytes) {
  input from{bytes};
  auto whole = read(from, {from.text.size()});
  if (!whole.wrong.empty())
    return whole.wrong;
  for (auto& cuts : {from.cuts, from.bytes()}) {
    auto pieces = read(from, cuts);
    if (!(pieces == whole))
      return "the pieces change it: " + pieces.refused + "\nfor\n"
             + whole.refused;
    if (!pieces.left.empty() || !whole.left.empty())
      return "after a refusal: " + pieces.left + whole.left;
  }
  return {};
}

} // namespace troupe::fuzz

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/beast/http/error.hpp>

#include "http/proxy/request_forwarder.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/oracles.hpp"
#include "tests/fuzz/strict_reader.hpp"

namespace troupe::fuzz {

namespace {

using proxying::request_forwarder;
using proxying::request_id_source;

constexpr std::size_t max_head = 2048;

/// A connection's requests as the proxy reads them.
struct conversation {
  /// All that was forwarded.
  std::string out;
  /// Target and host of each request that was taken as a whole.
  std::vector<std::pair<std::string, std::string>> taken;
  /// How much of the text they were.
  std::size_t used = 0;
  /// Status and detail, or nothing.
  std::string refused;
  /// What went to the server meanwhile, when each piece is sent as it comes.
  std::string sent;
  /// What a refused request left behind.
  std::string left;

  bool operator==(const conversation& other) const {
    return taken == other.taken && used == other.used
           && refused == other.refused;
  }
};

/// @param sends whether what is forwarded goes to the server at once.
conversation read(const input& from, const std::vector<std::size_t>& cuts,
                  bool sends) {
  conversation result;
  std::string id;
  request_id_source ids{1};
  request_forwarder::options with{
    "192.0.2.1", max_head, (from.options & 1) != 0, (from.options & 2) != 0};
  std::optional<request_forwarder> request;
  std::pair<std::string, std::string> asked;
  std::size_t used = 0;
  for (auto end : cuts) {
    for (;;) {
      if (!request) {
        // Empty lines before a request are nothing.
        while (from.text.substr(used, end - used).starts_with("\r\n"))
          used += 2;
        if (auto rest = from.text.substr(used, end - used);
            rest.empty() || rest == "\r")
          break;
        request.emplace(with, result.out, id, ids);
      }
      boost::system::error_code failure;
      used += request->forward(from.text.substr(used, end - used), failure);
      if (asked.first.empty() && request->is_header_done())
        asked = {std::string{request->target()}, std::string{request->host()}};
      if (failure == boost::beast::http::error::need_more) {
        if (sends && request->is_header_done()) {
          result.sent += result.out;
          result.out.clear();
        }
        break;
      }
      if (failure) {
        auto why = request->why_refused(failure);
        result.refused = std::to_string(why.status) + " " + why.detail;
        auto before = result.out;
        request->forward(from.text.substr(used), failure);
        request->forward("GET / HTTP/1.1\r\nHost: a\r\n\r\n", failure);
        if (!failure || result.out != before || (sends && !before.empty()))
          result.left = result.out + "<went on>";
        return result;
      }
      result.taken.push_back(std::exchange(asked, {}));
      result.used = used;
      auto keeps = request->keep_alive() && !request->wants_upgrade();
      if (sends) {
        result.sent += result.out;
        result.out.clear();
      }
      request.reset();
      if (!keeps)
        return result;
      if (used == end)
        break;
    }
  }
  return result;
}

/// What a server must never see in a head.
std::string wrong_in_head(const message& seen, bool trusts_client) {
  for (auto name : {"keep-alive", "proxy-connection", "te", "trailer", "proxy",
                    "forwarded", "x_forwarded_for", "x_forwarded_host",
                    "x_forwarded_proto", "x_real_ip", "x-forwarded_for"})
    if (seen.count(name) > 0)
      return std::string{"forwarded: "} + name;
  for (auto name : {"x-forwarded-for", "x-request-id"})
    if (seen.count(name) != 1)
      return std::string{"not once: "} + name;
  if (seen.count("host") > 1 || seen.count("content-length") > 1)
    return "more than one Host or length";
  if (seen.count("connection") > 0
      && seen.value("connection") != std::string{"Upgrade"})
    return "a Connection of the client's";
  if (!trusts_client
      && (seen.value("x-forwarded-for") != std::string{"192.0.2.1"}
          || seen.value("x-forwarded-proto") != std::string{"http"}
          || seen.count("x-real-ip") > 0 || seen.count("x-forwarded-port") > 0))
    return "the client's word for where it comes from";
  return {};
}

/// A field that neither the client sent nor the proxy adds, or nothing.
std::string unknown_field(const message& got, const message& asked) {
  for (auto& field : got.fields) {
    auto& name = field.first;
    auto is_ours = name == "host" || name == "via" || name == "x-request-id"
                   || name == "content-length" || name == "transfer-encoding"
                   || name == "connection" || name == "upgrade"
                   || name.starts_with("x-forwarded-");
    if (!is_ours
        && std::find(asked.fields.begin(), asked.fields.end(), field)
             == asked.fields.end())
      return "a field that was not sent: " + name;
  }
  return {};
}

/// Whether the server reads from `bytes` what was taken from `from`.
std::string wrong_at_server(std::string_view bytes, const conversation& what,
                            const input& from) {
  strict_reader server{bytes};
  strict_reader client{from.text};
  for (auto& [target, host] : what.taken) {
    message got;
    if (server.read_request(got) != verdict::whole)
      return "the server does not read the request for " + target;
    while (client.rest().starts_with("\r\n"))
      client = strict_reader{client.rest().substr(2)};
    message asked;
    if (client.read_request(asked) != verdict::whole)
      return "taken, but no request: " + target;
    if (got.start[0] != asked.start[0] || got.start[1] != target
        || got.start[2] != "HTTP/1.1" || target.find('#') != target.npos)
      return "another start line: " + got.start[1];
    if (got.body != asked.body)
      return "another body: " + got.body;
    if (got.value("host").value_or("") != host)
      return "another host: " + host;
    if (auto wrong = wrong_in_head(got, (from.options & 1) != 0);
        !wrong.empty())
      return wrong;
    if (auto wrong = unknown_field(got, asked); !wrong.empty())
      return wrong;
  }
  if (from.text.size() - client.rest().size() != what.used)
    return "requests end elsewhere";
  if (server.rest().empty())
    return {};
  message begun;
  return server.read_request(begun) == verdict::partial
           ? std::string{}
           : "the server reads more than was taken";
}

} // namespace

std::string wrong_with_forwarded_requests(std::string_view bytes) {
  input from{bytes};
  auto whole = read(from, {from.text.size()}, false);
  if (!whole.left.empty())
    return "after a refusal: " + whole.left;
  if (auto wrong = wrong_at_server(whole.out, whole, from); !wrong.empty())
    return wrong;
  if (!whole.refused.empty() && whole.taken.empty() && !whole.out.empty())
    return "a refused request was forwarded: " + whole.out;
  for (auto& cuts : {from.cuts, from.bytes()}) {
    auto pieces = read(from, cuts, false);
    if (!(pieces == whole) || pieces.out != whole.out)
      return "the pieces change it: " + pieces.refused + "\n" + pieces.out
             + "\nfor\n" + whole.refused + "\n" + whole.out;
    auto sending = read(from, cuts, true);
    if (!sending.left.empty())
      return "after a refusal: " + sending.left;
    if (!(sending == whole))
      return "sending changes it: " + sending.refused;
    if (auto wrong = wrong_at_server(sending.sent, sending, from);
        !wrong.empty())
      return "sent in pieces: " + wrong;
  }
  return {};
}

} // namespace troupe::fuzz

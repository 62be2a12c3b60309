#include <optional>

#include <boost/beast/http/error.hpp>

#include "http/proxy/response_forwarder.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/oracles.hpp"
#include "tests/fuzz/strict_reader.hpp"

namespace troupe::fuzz {

namespace {

using boost::system::error_code;
using proxying::response_forwarder;

/// An exchange's answers as the proxy reads them.
struct exchange {
  std::string out;
  /// The statuses of those that were taken, the last one's body excepted.
  std::vector<unsigned> heads;
  bool refused = false;
  bool whole = false;
  /// Whether only the connection's end tells the client where the body ends.
  bool ends_with_connection = false;
  std::size_t used = 0;
  std::string left;

  /// A body that the server's connection ends is chunked as it comes, so `out`
  /// is compared by what a client reads of it.
  bool operator==(const exchange& other) const {
    // What came before a fault shows, or not.
    if (refused || other.refused)
      return refused == other.refused;
    return heads == other.heads && whole == other.whole && used == other.used
           && ends_with_connection == other.ends_with_connection;
  }
};

struct answered {
  bool head = false;
  bool old_client = false;
  bool keeps = false;

  explicit answered(std::uint8_t options)
    : head((options & 1) != 0), old_client((options & 2) != 0),
      keeps((options & 4) != 0) {}
};

exchange read(const input& from, const std::vector<std::size_t>& cuts) {
  answered request{from.options};
  response_forwarder::options with{request.head, request.old_client,
                                   request.keeps, "id", 2048};
  exchange result;
  std::optional<response_forwarder> response;
  auto refuse = [&](std::string_view rest) {
    result.refused = true;
    auto before = result.out;
    error_code failure;
    response->forward(rest, failure);
    response->forward("HTTP/1.1 200 OK\r\n\r\nbody", failure);
    if (!failure || !before.starts_with(result.out))
      result.left = result.out + "<went on>";
    result.out = before;
    return result;
  };
  auto noted = false;
  for (auto end : cuts)
    for (;;) {
      if (!response)
        response.emplace(with, result.out);
      error_code failure;
      result.used += response->forward(
        from.text.substr(result.used, end - result.used), failure);
      if (failure && failure != boost::beast::http::error::need_more)
        return refuse(from.text.substr(result.used));
      if (!noted && response->is_header_done()) {
        noted = true;
        result.heads.push_back(response->status());
        result.ends_with_connection = response->ends_with_connection();
      }
      if (failure)
        break;
      if (!response->is_interim()) {
        result.whole = true;
        return result;
      }
      response.reset();
      noted = false;
    }
  error_code failure;
  if (response->is_header_done()) {
    response->put_eof(failure);
    if (failure)
      return refuse({});
    result.whole = true;
  }
  return result;
}

/// Reads all answers up to the last one, which it leaves in `to`.
verdict read_all(strict_reader& from, message& to, bool answers_head,
                 bool at_end, std::vector<std::string>& statuses) {
  for (;;) {
    to = {};
    auto what = from.read_response(to, answers_head, at_end);
    if (what != verdict::whole)
      return what;
    statuses.push_back(to.start[1]);
    if (to.start[1][0] != '1' || to.start[1] == "101")
      return what;
  }
}

std::string wrong_in_head(const message& seen, const answered& request) {
  for (auto name : {"keep-alive", "proxy-connection", "te", "trailer",
                    "proxy-authenticate"})
    if (seen.count(name) > 0)
      return std::string{"forwarded: "} + name;
  if (seen.count("connection") > 1 || seen.count("content-length") > 1)
    return "more than one Connection or length";
  if (seen.start[1] == "204" && seen.count("content-length") > 0)
    return "a length of 204 (RFC 9110 section 8.6)";
  if (request.old_client && seen.count("transfer-encoding") > 0
      && !request.head)
    return "chunks for an HTTP/1.0 client";
  return {};
}

/// Whether the client reads from `what.out` what the server sent.
std::string wrong_at_client(const exchange& what, const input& from) {
  answered request{from.options};
  strict_reader server{from.text};
  strict_reader client{what.out};
  message sent;
  message got;
  std::vector<std::string> server_statuses;
  std::vector<std::string> client_statuses;
  auto server_read =
    read_all(server, sent, request.head, true, server_statuses);
  auto client_read =
    read_all(client, got, request.head, what.ends_with_connection && what.whole,
             client_statuses);
  if (what.whole && server_read != verdict::whole)
    return "taken, but no answer";
  if (what.whole && client_read != verdict::whole)
    return "the client does not read it: " + what.out;
  if (!what.whole && client_read == verdict::whole)
    return "the client takes a part for the whole: " + what.out;
  if (!what.whole)
    return {};
  if (server_statuses != client_statuses)
    return "another status";
  if (got.body != sent.body)
    return "another body: " + got.body;
  if (!client.rest().empty())
    return "more than the answer: " + std::string{client.rest()};
  if (got.start[1] == "101")
    return {};
  if (client.read_to_end() && !what.ends_with_connection)
    return "a body without an end";
  return wrong_in_head(got, request);
}

} // namespace

std::string wrong_with_forwarded_responses(std::string_view bytes) {
  input from{bytes};
  auto whole = read(from, {from.text.size()});
  if (!whole.left.empty())
    return "after a refusal: " + whole.left;
  if (auto wrong = wrong_at_client(whole, from); !wrong.empty())
    return wrong;
  for (auto& cuts : {from.cuts, from.bytes()}) {
    auto pieces = read(from, cuts);
    if (!(pieces == whole))
      return "the pieces change it: " + pieces.out + "\nfor\n" + whole.out;
    if (!pieces.left.empty())
      return "after a refusal: " + pieces.left;
    if (auto wrong = wrong_at_client(pieces, from); !wrong.empty())
      return "in pieces: " + wrong;
  }
  return {};
}

} // namespace troupe::fuzz

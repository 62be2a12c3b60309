#include "discovery/transport/first_bytes.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

/// Whether one is the beginning of the other.
bool agree(std::string_view bytes, std::string_view with) {
  auto size = std::min(bytes.size(), with.size());
  return bytes.substr(0, size) == with.substr(0, size);
}

bool is_http(std::string_view bytes) {
  constexpr std::array<std::string_view, 9> beginnings = {
    "GET ",     "POST ",    "PUT ",   "HEAD ",  "DELETE ",
    "OPTIONS ", "CONNECT ", "PATCH ", "HTTP/1."};
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](auto word) { return agree(bytes, word); });
}

} // namespace

first_speaker who_speaks(std::string_view bytes) {
  if (bytes.empty())
    return first_speaker::unknown_yet;
  // A handshake or an alert.
  if (bytes[0] == 0x16 || bytes[0] == 0x15)
    return first_speaker::tls;
  // A handshake of CAF's protocol (caf/io/basp/message_type.hpp).
  if (bytes[0] == 0x00 || bytes[0] == 0x01)
    return first_speaker::bare_caf;
  for (auto [text, who] : {std::pair{plain_greeting, first_speaker::plain_node},
                           std::pair{tls_wanted, first_speaker::tls_node}})
    if (bytes.starts_with(text))
      return who;
  if (agree(bytes, plain_greeting) || agree(bytes, tls_wanted))
    return first_speaker::unknown_yet;
  return is_http(bytes) ? first_speaker::http : first_speaker::stranger;
}

std::string_view describe(first_speaker who) {
  switch (who) {
    case first_speaker::unknown_yet:
      return "said too little to tell what it is";
    case first_speaker::tls:
      return "speaks TLS, but this node has no certificates: give it some "
             "(tls.certificate, tls.key, tls.authority) or take them from the "
             "other";
    case first_speaker::plain_node:
      return "is a node without certificates, but this one has some: all nodes "
             "of a cluster must have them (tls.certificate, tls.key, "
             "tls.authority), or none";
    case first_speaker::tls_node:
      return "is a node with certificates, but this one has none: give it some "
             "(tls.certificate, tls.key, tls.authority; troupe certs node "
             "makes "
             "them)";
    case first_speaker::http:
      return "speaks HTTP; the API has a port of its own (node.apiPort)";
    case first_speaker::bare_caf:
      return "speaks CAF's protocol without being a node of this version";
    case first_speaker::stranger:
      return "speaks no protocol of a cluster port";
  }
  return "";
}

} // namespace troupe

#include "http/gateway/host_rules.hpp"

#include <algorithm>

#include <boost/beast/core/string.hpp>

#include "messages/address.hpp"

namespace troupe {

namespace {

bool is_port(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// What stands between `://` and the path, or nothing.
std::string_view authority_of(std::string_view uri) {
  auto scheme = uri.find("://");
  if (scheme == std::string_view::npos || uri.starts_with('/'))
    return {};
  auto rest = uri.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

problem refused(std::string detail, const char* header) {
  return {errc::malformed, std::move(detail), header, 403};
}

/// A link that somebody followed, or an address that he typed.
bool is_navigation(const http_request& request) {
  auto reads =
    request.method == http_verb::get || request.method == http_verb::head;
  return reads && request.header("Sec-Fetch-Mode") == "navigate"
         && request.header("Sec-Fetch-Dest") == "document";
}

} // namespace

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('['))
    return authority.substr(1, authority.find(']') - 1);
  auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && is_port(authority.substr(colon + 1)))
    authority = authority.substr(0, colon);
  if (authority.ends_with('.'))
    authority.remove_suffix(1);
  return authority;
}

bool same_host(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

bool is_private_host(std::string_view host) {
  auto dot = host.rfind('.');
  if (dot == std::string_view::npos || is_ip_address(host))
    return true;
  auto top = host.substr(dot + 1);
  return same_host(top, "localhost") || same_host(top, "local")
         || same_host(top, "internal");
}

named_hosts hosts_of(const http_request& request) {
  return {host_of(authority_of(request.target())),
          host_of(request.header("Host"))};
}

problem misdirected(std::string_view host) {
  // 421: this node has no answers for that host (RFC 9110 §15.5.20).
  return {errc::malformed,
          "this API is not served as '" + std::string{host.substr(0, 200)}
            + "'; node.allowedHosts names further hosts",
          "Host", 421};
}

std::optional<problem> foreign_origin(const http_request& request) {
  auto origin = request.header("Origin");
  auto own = request.header("Host");
  if (!origin.empty() && !same_host(authority_of(origin), own))
    return refused("a page of '" + std::string{origin.substr(0, 200)}
                     + "' must not use this API",
                   "Origin");
  if (request.header("Sec-Fetch-Site") == "cross-site"
      && !is_navigation(request))
    return refused("pages of other sites must not use this API",
                   "Sec-Fetch-Site");
  return std::nullopt;
}

} // namespace troupe

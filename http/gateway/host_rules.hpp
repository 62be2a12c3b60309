#pragma once

#include <optional>
#include <string_view>

#include "http/gateway/problem.hpp"

// Keeps web pages of others from using the API through the browser of somebody
// who can reach it (see the README). The API itself asks nobody who he is.

namespace troupe {

/// The host of `host[:port]`, as it stands there but for an IPv6 address'
/// brackets and a root's dot.
std::string_view host_of(std::string_view authority);

/// Whether nobody can make `host` point to this node by a DNS zone of their
/// own: an IP address, a name without a dot (localhost, a service of compose),
/// or one below `localhost` (RFC 6761 §6.3), `local` (RFC 6762 §3, and
/// `cluster.local` of Kubernetes) or `internal`, which no registry gives away.
bool is_private_host(std::string_view host);

/// Whether two hosts are the same, in any case.
bool same_host(std::string_view a, std::string_view b);

/// What is wrong with where a browser says that the request comes from: an
/// `Origin` other than the host that is asked, or a page of another site.
/// Following a link is fine, it shows the answer to nobody but the user.
/// Clients that are no browsers send neither; Node's `fetch` sends
/// `Sec-Fetch-Mode` alone.
std::optional<problem> foreign_origin(const http_request& request);

/// Both of the hosts that a request may name.
struct named_hosts {
  /// Of an absolute target; else empty.
  std::string_view in_target;
  std::string_view in_header;
};

named_hosts hosts_of(const http_request& request);

/// The problem of a request for another's `host`.
problem misdirected(std::string_view host);

/// What is wrong with the host that the request is for: a page whose name was
/// made to point here (DNS rebinding) is of one origin with this API, but it
/// can't hide its name. `is_own(host)` knows the names that are this cluster's
/// besides those of `is_private_host`.
template <class IsOwn>
std::optional<problem> foreign_host(const http_request& request, IsOwn is_own) {
  auto [in_target, in_header] = hosts_of(request);
  for (auto host : {in_target, in_header})
    if (!host.empty() && !is_private_host(host) && !is_own(host))
      return misdirected(host);
  return std::nullopt;
}

} // namespace troupe

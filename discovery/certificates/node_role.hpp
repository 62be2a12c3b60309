#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openssl/x509.h>

namespace troupe {

/// What makes a certificate one of a node: a URI among its subject alternative
/// names (RFC 5280 §4.2.1.6), `troupe://CLUSTER/node/NAME`. Another certificate
/// of the same authority, a web server's or a person's, does not have it, and
/// neither does a node's of another cluster.
struct node_role {
  std::string cluster;
  std::string name;

  bool operator==(const node_role&) const = default;
};

std::string to_uri(const node_role& role);

/// Nothing if `uri` names no node.
std::optional<node_role> parse_node_uri(std::string_view uri);

/// The first node that the certificate names.
std::optional<node_role> role_of(const X509& certificate);

/// The URI that `troupe certs ca` puts into an authority's own certificate, so
/// that it knows its cluster: `troupe://CLUSTER/authority`.
std::string authority_uri(std::string_view cluster);

/// The cluster that such an authority is for, if it says so.
std::optional<std::string> cluster_of_authority(const X509& certificate);

} // namespace troupe

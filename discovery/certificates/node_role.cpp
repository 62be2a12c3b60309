#include "discovery/certificates/node_role.hpp"

#include <memory>
#include <vector>

#include <openssl/x509v3.h>

#include "discovery/certificates/openssl.hpp"

namespace troupe {

namespace {

constexpr std::string_view scheme = "troupe://";
constexpr std::string_view node_path = "/node/";
constexpr std::string_view authority_path = "/authority";

std::vector<std::string> uris_of(const X509& certificate) {
  using names_ptr =
    std::unique_ptr<GENERAL_NAMES, openssl_deleter<GENERAL_NAMES_free>>;
  names_ptr names{static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::vector<std::string> result;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI)
      continue;
    auto* text = name->d.uniformResourceIdentifier;
    result.emplace_back(
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return result;
}

} // namespace

std::string to_uri(const node_role& role) {
  return std::string{scheme} + role.cluster + std::string{node_path}
         + role.name;
}

std::optional<node_role> parse_node_uri(std::string_view uri) {
  if (!uri.starts_with(scheme))
    return std::nullopt;
  uri.remove_prefix(scheme.size());
  auto end = uri.find('/');
  if (end == uri.npos || !uri.substr(end).starts_with(node_path))
    return std::nullopt;
  node_role result{std::string{uri.substr(0, end)},
                   std::string{uri.substr(end + node_path.size())}};
  if (result.cluster.empty() || result.name.empty()
      || result.name.find('/') != result.name.npos)
    return std::nullopt;
  return result;
}

std::optional<node_role> role_of(const X509& certificate) {
  for (auto& uri : uris_of(certificate))
    if (auto role = parse_node_uri(uri))
      return role;
  return std::nullopt;
}

std::string authority_uri(std::string_view cluster) {
  return std::string{scheme} + std::string{cluster}
         + std::string{authority_path};
}

std::optional<std::string> cluster_of_authority(const X509& certificate) {
  for (auto& uri : uris_of(certificate))
    if (uri.starts_with(scheme) && uri.ends_with(authority_path)
        && uri.size() > scheme.size() + authority_path.size())
      return uri.substr(scheme.size(),
                        uri.size() - scheme.size() - authority_path.size());
  return std::nullopt;
}

} // namespace troupe

#include "discovery/certificates/verification.hpp"

#include "discovery/certificates/certificate.hpp"
#include "discovery/certificates/node_role.hpp"

namespace troupe {

namespace {

int verification_index() {
  static const int index =
    SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// Called for each certificate of the peer's chain, from the authority's down
/// to its own, and for each thing that is wrong with one.
int on_certificate(int is_right, X509_STORE_CTX* chain) {
  auto* session = static_cast<SSL*>(
    X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* found = static_cast<peer_verification*>(
    SSL_get_ex_data(session, verification_index()));
  auto* certificate = X509_STORE_CTX_get_current_cert(chain);
  if (is_right == 0) {
    found->problem =
      explain_chain_error(X509_STORE_CTX_get_error(chain), certificate);
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(chain) > 0)
    return 1;
  if (auto problem = check_role(*certificate, found->cluster)) {
    found->problem = std::move(*problem);
    X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  found->name = role_of(*certificate)->name;
  return 1;
}

} // namespace

std::optional<std::string> check_role(const X509& certificate,
                                      const std::string& cluster) {
  auto who = subject_of(certificate);
  auto role = role_of(certificate);
  if (!role)
    return "certificate (" + who + ") has no node role, must have the URI "
           + to_uri({cluster, "NAME"})
           + " among its subject alternative names (make it with troupe certs "
             "node)";
  if (role->cluster != cluster)
    return "certificate (" + who + ") is for nodes of cluster '" + role->cluster
           + "', must be for '" + cluster + "'";
  return std::nullopt;
}

std::string explain_chain_error(int error, const X509* certificate) {
  if (!certificate)
    return std::string{"certificate is refused: "}
           + X509_verify_cert_error_string(error);
  auto who = subject_of(*certificate);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "certificate (" + who + ") expired on "
             + to_text(end_of(*certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "certificate (" + who + ") is valid only from "
             + to_text(begin_of(*certificate))
             + " on (or this host's clock is wrong)";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "certificate (" + who + ", issued by " + issuer_of(*certificate)
             + ") is not signed by the cluster's authority";
    case X509_V_ERR_INVALID_PURPOSE:
      return "certificate (" + who
             + ") is not meant for this, must have serverAuth and clientAuth "
               "as extended key usage";
    default:
      return "certificate (" + who
             + ") is refused: " + X509_verify_cert_error_string(error);
  }
}

void watch_verification(SSL& session, peer_verification& into) {
  SSL_set_ex_data(&session, verification_index(), &into);
  SSL_set_verify(&session, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                 on_certificate);
}

} // namespace troupe

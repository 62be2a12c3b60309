#include "discovery/certificates/issue.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include <openssl/pem.h>
#include <openssl/rand.h>

#include "discovery/certificates/node_role.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

using std::chrono::system_clock;

/// Hosts whose clocks are behind must be able to use a fresh certificate.
constexpr std::chrono::hours clock_tolerance{1};

caf::error failure(const std::string& what) {
  return make_error(errc::internal,
                    "can't make " + what + ": " + openssl_reason());
}

/// 127 random bits, positive (RFC 5280 §4.1.2.2 allows 20 octets).
bool set_serial(X509& certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1)
    return false;
  bytes[0] &= 0x7f;
  using number_ptr = std::unique_ptr<BIGNUM, openssl_deleter<BN_free>>;
  number_ptr number{BN_bin2bn(bytes, sizeof(bytes), nullptr)};
  return number
         && BN_to_ASN1_INTEGER(number.get(),
                               X509_get_serialNumber(&certificate));
}

bool add_name(X509_NAME& to, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(
           &to, field, MBSTRING_UTF8,
           reinterpret_cast<const unsigned char*>(value.data()),
           static_cast<int>(value.size()), -1, 0)
         == 1;
}

struct extension {
  int nid;
  std::string value;
};

bool add_extensions(X509& to, X509& issuer,
                    const std::vector<extension>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &to, nullptr, nullptr, 0);
  using extension_ptr =
    std::unique_ptr<X509_EXTENSION, openssl_deleter<X509_EXTENSION_free>>;
  return std::all_of(extensions.begin(), extensions.end(), [&](auto& x) {
    extension_ptr made{
      X509V3_EXT_conf_nid(nullptr, &context, x.nid, x.value.c_str())};
    return made && X509_add_ext(&to, made.get(), -1) == 1;
  });
}

/// What stands in a certificate, but for its key.
struct content {
  std::string organization;
  std::string common_name;
  certificate_time begin;
  certificate_time end;
  std::vector<extension> extensions;
};

/// Signs `what` for `key`.
/// @param issuer the authority's certificate; null: the new one itself.
x509_ptr sign(const content& what, EVP_PKEY& key, X509* issuer,
              EVP_PKEY& signer) {
  x509_ptr result{X509_new()};
  auto* x = result.get();
  auto to_time = system_clock::to_time_t;
  auto ok =
    x && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(*x)
    && ASN1_TIME_set(X509_getm_notBefore(x), to_time(what.begin))
    && ASN1_TIME_set(X509_getm_notAfter(x), to_time(what.end))
    && X509_set_pubkey(x, &key) == 1
    && add_name(*X509_get_subject_name(x), "O", what.organization)
    && add_name(*X509_get_subject_name(x), "CN", what.common_name)
    && X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x)) == 1
    && add_extensions(*x, issuer ? *issuer : *x, what.extensions)
    && X509_sign(x, &signer, EVP_sha256()) > 0;
  if (!ok)
    result.reset();
  return result;
}

caf::expected<issued_pair> print(X509& certificate, EVP_PKEY& key) {
  bio_ptr certificate_out{BIO_new(BIO_s_mem())};
  bio_ptr key_out{BIO_new(BIO_s_secmem())};
  if (PEM_write_bio_X509(certificate_out.get(), &certificate) != 1
      || PEM_write_bio_PKCS8PrivateKey(key_out.get(), &key, nullptr, nullptr, 0,
                                       nullptr, nullptr)
           != 1)
    return failure("the PEM text");
  return issued_pair{contents_of(*certificate_out), contents_of(*key_out)};
}

bool is_ip_address(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1
         || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// As far as it matters here: nothing that would end the entry in OpenSSL's
/// text form of the extension.
bool is_host_name(const std::string& host) {
  return !host.empty() && host.size() <= 253
         && std::all_of(host.begin(), host.end(), [](unsigned char c) {
              return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
            });
}

caf::expected<std::string> alternative_names(const node_role& role,
                                             const node_request& what) {
  auto result = "URI:" + to_uri(role);
  for (auto& host : what.hosts) {
    if (is_ip_address(host))
      result += ",IP:" + host;
    else if (is_host_name(host))
      result += ",DNS:" + host;
    else
      return make_error(
        errc::invalid_field,
        "host '" + host + "' must be a DNS name or an IP address", "host");
  }
  return result;
}

/// An authority, ready to sign.
struct signer {
  x509_ptr certificate;
  private_key_ptr key;
  std::string cluster;
};

caf::expected<signer> open_authority(const issued_pair& authority,
                                     const std::string& source) {
  auto certificates = parse_certificates(authority.certificate, source);
  if (!certificates)
    return std::move(certificates.error());
  auto key = parse_private_key(authority.key, source);
  if (!key)
    return std::move(key.error());
  auto& certificate = certificates->front();
  if (X509_check_private_key(certificate.get(), key->get()) != 1)
    return make_error(errc::invalid_field,
                      source + ": the key is not the certificate's");
  auto cluster = cluster_of_authority(*certificate);
  if (!cluster)
    return make_error(errc::invalid_field,
                      source + ": the certificate (" + subject_of(*certificate)
                        + ") is not of an authority that troupe certs ca made");
  return signer{std::move(certificate), std::move(*key), std::move(*cluster)};
}

} // namespace

caf::expected<issued_pair> issue_authority(const authority_request& what) {
  private_key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return failure("a key");
  content fields;
  fields.organization = what.cluster;
  fields.common_name = "troupe authority of " + what.cluster;
  fields.begin = what.now - clock_tolerance;
  fields.end = what.now + what.valid_for;
  fields.extensions = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_subject_alt_name, "URI:" + authority_uri(what.cluster)},
  };
  auto certificate = sign(fields, *key, nullptr, *key);
  if (!certificate)
    return failure("the authority's certificate");
  return print(*certificate, *key);
}

caf::expected<issued_pair> issue_node(const node_request& what,
                                      const issued_pair& authority,
                                      const std::string& source) {
  auto by = open_authority(authority, source);
  if (!by)
    return std::move(by.error());
  auto names = alternative_names({by->cluster, what.name}, what);
  if (!names)
    return std::move(names.error());
  content fields;
  fields.organization = by->cluster;
  fields.common_name = what.name;
  fields.begin = what.now - clock_tolerance;
  fields.end = what.now + what.valid_for;
  if (fields.end > end_of(*by->certificate))
    return make_error(
      errc::invalid_field,
      source + ": the authority expires on " + to_text(end_of(*by->certificate))
        + ", before the node's certificate would (" + to_text(fields.end)
        + "); ask for fewer days or make a new authority",
      "days");
  fields.extensions = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth,clientAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_subject_alt_name, *names},
  };
  private_key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return failure("a key");
  auto certificate = sign(fields, *key, by->certificate.get(), *by->key);
  if (!certificate)
    return failure("the node's certificate");
  return print(*certificate, *key);
}

} // namespace troupe

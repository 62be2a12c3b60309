#include "discovery/certificates/credentials.hpp"

#include <openssl/err.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

constexpr auto certificate_option = "tls.certificate";
constexpr auto key_option = "tls.key";
constexpr auto authority_option = "tls.authority";

/// The same error, with the option that it is about.
caf::error about(const char* option, const caf::error& what) {
  auto view = describe(what);
  return make_error(view.code, std::string{option} + ": " + view.detail,
                    option);
}

caf::error wrong(const char* option, std::string detail) {
  return make_error(errc::invalid_field,
                    std::string{option} + ": " + std::move(detail), option);
}

/// What the three files hold.
struct parsed_files {
  std::vector<x509_ptr> chain;
  private_key_ptr key;
  std::vector<x509_ptr> authorities;

  const X509& own() const { return *chain.front(); }
};

caf::expected<std::vector<x509_ptr>>
read_certificates(const char* option, const std::string& file) {
  auto text = read_pem_file(file);
  if (!text)
    return about(option, text.error());
  auto result = parse_certificates(*text, file);
  if (!result)
    return about(option, result.error());
  return result;
}

caf::expected<private_key_ptr> read_key(const std::string& file) {
  auto text = read_pem_file(file);
  if (!text)
    return about(key_option, text.error());
  auto result = parse_private_key(*text, file);
  OPENSSL_cleanse(text->data(), text->size());
  if (!result)
    return about(key_option, result.error());
  return result;
}

caf::error read(const tls_files& files, parsed_files& into) {
  auto chain = read_certificates(certificate_option, files.certificate);
  if (!chain)
    return std::move(chain.error());
  auto key = read_key(files.key);
  if (!key)
    return std::move(key.error());
  auto authorities = read_certificates(authority_option, files.authority);
  if (!authorities)
    return std::move(authorities.error());
  into = {std::move(*chain), std::move(*key), std::move(*authorities)};
  return caf::none;
}

/// Verifies the own chain as a peer will, once in each of its two roles.
caf::error verify_chain(const tls_files& files, const parsed_files& what,
                        X509_STORE& store, certificate_time now) {
  std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> untrusted{
    sk_X509_new_null(), [](STACK_OF(X509) * x) { sk_X509_free(x); }};
  for (auto& certificate : what.chain)
    sk_X509_push(untrusted.get(), certificate.get());
  for (auto purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    x509_store_context_ptr context{X509_STORE_CTX_new()};
    X509_STORE_CTX_init(context.get(), &store, what.chain.front().get(),
                        untrusted.get());
    X509_STORE_CTX_set_purpose(context.get(), purpose);
    X509_STORE_CTX_set_time(context.get(), 0,
                            std::chrono::system_clock::to_time_t(now));
    if (X509_verify_cert(context.get()) == 1)
      continue;
    auto problem =
      explain_chain_error(X509_STORE_CTX_get_error(context.get()),
                          X509_STORE_CTX_get_current_cert(context.get()));
    return wrong(certificate_option, files.certificate + ": the " + problem
                                       + " (tls.authority: " + files.authority
                                       + ")");
  }
  return caf::none;
}

caf::error check(const tls_files& files, const parsed_files& what,
                 X509_STORE& store, const std::string& cluster,
                 certificate_time now) {
  if (X509_check_private_key(&what.own(), what.key.get()) != 1) {
    ERR_clear_error();
    return wrong(key_option, files.key + " is not the key of the certificate "
                               + files.certificate
                               + ", both must have been made together");
  }
  if (auto problem = verify_chain(files, what, store, now))
    return problem;
  if (auto problem = check_role(what.own(), cluster))
    return wrong(certificate_option, files.certificate + ": the " + *problem);
  return caf::none;
}

x509_store_ptr make_store(const std::vector<x509_ptr>& authorities) {
  x509_store_ptr result{X509_STORE_new()};
  for (auto& authority : authorities)
    X509_STORE_add_cert(result.get(), authority.get());
  return result;
}

/// TLS 1.2 or later, forward secrecy and authenticated encryption only
/// (RFC 9325 §4.2). No resumption: each session is checked against what the
/// files say now.
ssl_context_ptr make_context(const parsed_files& what, x509_store_ptr store) {
  ssl_context_ptr result{SSL_CTX_new(TLS_method())};
  auto* context = result.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:"
                                    "TLS_AES_256_GCM_SHA384:"
                                    "TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET
                                 | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // A write that has to be repeated may have moved with its buffer. Peers have
  // the authority themselves, so nobody sends it.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_use_certificate(context, what.chain.front().get());
  for (auto i = std::next(what.chain.begin()); i != what.chain.end(); ++i)
    SSL_CTX_add1_chain_cert(context, i->get());
  SSL_CTX_use_PrivateKey(context, what.key.get());
  for (auto& authority : what.authorities)
    SSL_CTX_add_client_CA(context, authority.get());
  SSL_CTX_set_cert_store(context, store.release());
  return result;
}

} // namespace

caf::expected<std::shared_ptr<const credentials>>
credentials::load(const tls_files& files, const std::string& cluster,
                  certificate_time now) {
  parsed_files what;
  if (auto problem = read(files, what))
    return problem;
  auto store = make_store(what.authorities);
  if (auto problem = check(files, what, *store, cluster, now))
    return problem;
  auto context = make_context(what, std::move(store));
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return wrong(certificate_option,
                 files.certificate + " is not usable: " + openssl_reason());
  return std::make_shared<const credentials>(std::move(context), cluster,
                                             what.own());
}

credentials::credentials(ssl_context_ptr context, std::string cluster,
                         const X509& own)
  : context_(std::move(context)), cluster_(std::move(cluster)),
    valid_until_(end_of(own)) {
  summary_ = subject_of(own) + ", valid until " + to_text(valid_until_);
}

ssl_ptr credentials::make_session(peer_verification& found) const {
  ssl_ptr result{SSL_new(context_.get())};
  if (!result)
    throw std::bad_alloc{};
  found.cluster = cluster_;
  watch_verification(*result, found);
  return result;
}

} // namespace troupe

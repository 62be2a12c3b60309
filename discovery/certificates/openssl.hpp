#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Owners for OpenSSL's objects. Nobody else calls an X_free.

namespace troupe {

template <auto Free>
struct openssl_deleter {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};

using bio_ptr = std::unique_ptr<BIO, openssl_deleter<BIO_free>>;
using private_key_ptr =
  std::unique_ptr<EVP_PKEY, openssl_deleter<EVP_PKEY_free>>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, openssl_deleter<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, openssl_deleter<SSL_free>>;
using x509_ptr = std::unique_ptr<X509, openssl_deleter<X509_free>>;
using x509_store_ptr =
  std::unique_ptr<X509_STORE, openssl_deleter<X509_STORE_free>>;
using x509_store_context_ptr =
  std::unique_ptr<X509_STORE_CTX, openssl_deleter<X509_STORE_CTX_free>>;

/// Why this thread's last OpenSSL call failed, in OpenSSL's words. Empties the
/// thread's error queue.
std::string openssl_reason();

/// All that was written to a memory BIO.
std::string contents_of(BIO& memory);

} // namespace troupe

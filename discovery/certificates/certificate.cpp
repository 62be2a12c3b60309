#include "discovery/certificates/certificate.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

bio_ptr reader_of(std::string_view text) {
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// Whether the last read failed only because the text has ended.
bool is_end_of_pem() {
  auto code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM
         && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/// A key with a passphrase would have OpenSSL ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// A stranger's certificate may hold anything: control characters are escaped,
/// and nobody needs more than this.
constexpr std::size_t longest_name = 200;

std::string print(const X509_NAME* name) {
  bio_ptr out{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(out.get(), name, 0,
                     XN_FLAG_ONELINE
                       & ~(XN_FLAG_SPC_EQ | ASN1_STRFLGS_ESC_MSB));
  auto result = contents_of(*out);
  if (result.size() > longest_name)
    result.replace(longest_name, result.npos, "...");
  return result;
}

certificate_time as_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

} // namespace

caf::expected<std::string> read_pem_file(const std::string& file) {
  // Far more than any chain; a wrong path may name anything.
  constexpr std::size_t limit = 1 << 20;
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  std::string text(limit, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  auto size = in.gcount();
  if (!in.eof() || in.bad())
    return make_error(
      errc::storage_failed,
      "can't read " + file + ": "
        + (errno != 0 ? std::strerror(errno) : "larger than 1 MiB"));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

caf::expected<std::vector<x509_ptr>>
parse_certificates(std::string_view pem, const std::string& source) {
  ERR_clear_error();
  auto in = reader_of(pem);
  std::vector<x509_ptr> result;
  while (
    x509_ptr next{PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr)})
    result.push_back(std::move(next));
  if (!is_end_of_pem())
    return make_error(
      errc::malformed,
      source + " holds a certificate that can't be read: " + openssl_reason());
  ERR_clear_error();
  if (result.empty())
    return make_error(errc::malformed,
                      source
                        + " holds no certificate, must have at least one in "
                          "PEM (-----BEGIN CERTIFICATE-----)");
  return result;
}

caf::expected<private_key_ptr> parse_private_key(std::string_view pem,
                                                 const std::string& source) {
  ERR_clear_error();
  auto in = reader_of(pem);
  private_key_ptr result{
    PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr)};
  if (!result)
    return make_error(errc::malformed,
                      source
                        + " holds no usable private key, must be one in PEM "
                          "without a passphrase: "
                        + openssl_reason());
  return result;
}

std::string subject_of(const X509& certificate) {
  return print(X509_get_subject_name(&certificate));
}

std::string issuer_of(const X509& certificate) {
  return print(X509_get_issuer_name(&certificate));
}

certificate_time begin_of(const X509& certificate) {
  return as_time(X509_get0_notBefore(&certificate));
}

certificate_time end_of(const X509& certificate) {
  return as_time(X509_get0_notAfter(&certificate));
}

std::string to_text(certificate_time when) {
  auto seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  auto size = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts);
  return {text, size};
}

} // namespace troupe

#include "discovery/certificates/openssl.hpp"

#include <openssl/err.h>

namespace troupe {

std::string openssl_reason() {
  // The first error is the cause, the others are its way up.
  auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "unknown reason";
  if (auto text = ERR_reason_error_string(code))
    return text;
  return "OpenSSL error " + std::to_string(code);
}

std::string contents_of(BIO& memory) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(&memory, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size))
                  : std::string{};
}

} // namespace troupe

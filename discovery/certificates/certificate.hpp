#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

#include "discovery/certificates/openssl.hpp"

// Reading certificates and keys, and naming them for people.

namespace troupe {

using certificate_time = std::chrono::system_clock::time_point;

/// A file's bytes. Errors: storage_failed, naming the file.
caf::expected<std::string> read_pem_file(const std::string& file);

/// All certificates of a PEM text, in its order.
/// @param source names the text in errors, for example its file.
/// Errors: malformed (none, or one that can't be read).
caf::expected<std::vector<x509_ptr>>
parse_certificates(std::string_view pem, const std::string& source);

/// The private key of a PEM text without passphrase. Errors: malformed.
caf::expected<private_key_ptr> parse_private_key(std::string_view pem,
                                                 const std::string& source);

/// Its subject as one line: `O=circus, CN=node-1`.
std::string subject_of(const X509& certificate);
std::string issuer_of(const X509& certificate);

/// First and last moment of its validity.
certificate_time begin_of(const X509& certificate);
certificate_time end_of(const X509& certificate);

/// UTC, to the minute: `2026-03-01 12:00 UTC`.
std::string to_text(certificate_time when);

} // namespace troupe

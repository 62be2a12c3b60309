#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/proxy/fields.hpp"
#include "http/proxy/forwarder.hpp"

namespace troupe::proxying {

/// Parses one response and, in the same pass, writes what goes to the client.
class response_forwarder final : public forwarder<false> {
public:
  struct options {
    bool to_head_request = false;
    bool to_http_1_0 = false;
    /// Whether the client wants, and may have, more requests on its
    /// connection.
    bool keep_client = true;
    /// Echoed unless the server names one itself.
    std::string_view request_id;
    std::size_t max_header_bytes = 64 << 10;
  };

  response_forwarder(const options& with, std::string& out);

  /// The client's connection ends with this response. Call it before the
  /// header is complete.
  void close_client() { options_.keep_client = false; }

  // The following need a complete header.
  unsigned status() const { return status_; }
  /// 1xx but 101: another response follows.
  bool is_interim() const { return status_ / 100 == 1 && status_ != 101; }
  /// Whether the server's connection can take another request. After chunks in
  /// HTTP/1.0, which has none, nobody knows where on it the next answer begins
  /// (RFC 9112 §6.1).
  bool keep_alive() const {
    return forwarder::keep_alive() && !(is_http_1_0_ && chunked());
  }
  /// Whether the server takes its connection for one user's from now on.
  bool authenticates_connection() const { return authenticates_connection_; }
  /// Whether the client's connection can take another request.
  bool keeps_client() const { return options_.keep_client; }
  /// Whether only the connection's end tells the client that the body is
  /// whole.
  bool ends_with_connection() const { return until_close_; }

private:
  void append_framing();

  error_code take_status_line(unsigned status, std::string_view reason,
                              int version) override;
  error_code take_field(field id, std::string_view name,
                        std::string_view value) override;
  error_code take_header_end() override;
  error_code take_body(std::string_view bytes) override;
  error_code take_chunk_header(std::uint64_t size) override;
  error_code take_chunk_body(std::uint64_t left,
                             std::string_view bytes) override;
  error_code take_end() override;

  options options_;
  unsigned status_ = 0;
  std::size_t header_start_ = 0;
  bool is_http_1_0_ = false;
  bool names_request_id_ = false;
  bool authenticates_connection_ = false;
  bool chunk_body_ = false;
  bool until_close_ = false;
  std::string upgrade_to_;
  connection_options connection_;
};

} // namespace troupe::proxying

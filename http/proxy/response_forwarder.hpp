#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/proxy/fields.hpp"

namespace troupe::proxying {

/// Parses one response and, in the same pass, writes what goes to the client.
class response_forwarder final
  : public boost::beast::http::basic_parser<false> {
public:
  using error_code = boost::beast::error_code;

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

  /// As `put`; bytes after the message's end stay.
  std::size_t forward(std::string_view input, error_code& failure);

  /// The client's connection ends with this response. Call it before the
  /// header is complete.
  void close_client() { options_.keep_client = false; }

  // The following need a complete header.
  unsigned status() const { return status_; }
  /// 1xx but 101: another response follows.
  bool is_interim() const { return status_ / 100 == 1 && status_ != 101; }
  /// Whether the client's connection can take another request.
  bool keeps_client() const { return options_.keep_client; }
  /// Whether only the connection's end tells the client that the body is
  /// whole.
  bool ends_with_connection() const { return until_close_; }

private:
  using string_view = boost::beast::string_view;
  using field = boost::beast::http::field;

  void append_framing();

  void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                       error_code&) override {}
  void on_response_impl(int status, string_view reason, int version,
                        error_code& failure) override;
  void on_field_impl(field name, string_view text, string_view value,
                     error_code& failure) override;
  void on_header_impl(error_code& failure) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&,
                         error_code& failure) override {
    failure = {};
  }
  std::size_t on_body_impl(string_view body, error_code& failure) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions,
                            error_code& failure) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, string_view body,
                                 error_code& failure) override;
  void on_finish_impl(error_code& failure) override;

  options options_;
  std::string& out_;
  std::string_view input_;
  unsigned status_ = 0;
  std::size_t header_start_ = 0;
  std::size_t header_bytes_ = 0;
  bool header_done_ = false;
  bool names_request_id_ = false;
  bool chunk_body_ = false;
  bool until_close_ = false;
  std::string upgrade_to_;
  connection_options connection_;
};

} // namespace troupe::proxying

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/parsing/refusal.hpp"
#include "http/proxy/fields.hpp"
#include "http/proxy/forwarder.hpp"

namespace troupe::proxying {

/// Makes ids for requests that come without one: 32 hex digits.
class request_id_source {
public:
  explicit request_id_source(std::uint64_t prefix) : prefix_(prefix) {}

  void next(std::string& id);

private:
  std::uint64_t prefix_;
  std::uint64_t count_ = 0;
};

/// Parses one request and, in the same pass, writes what goes to the server:
/// hop-by-hop fields left out, the proxy's own added, the body's framing made
/// anew. Refuses what two parties could read differently (request smuggling,
/// RFC 9112 §11.2).
class request_forwarder final : public forwarder<true> {
public:
  struct options {
    /// The last of X-Forwarded-For.
    std::string_view client_address;
    std::size_t max_header_bytes = 16 << 10;
    /// Whether what it says in X-Forwarded fields is kept: it is a proxy.
    bool trusts_client = false;
    bool adds_via = false;
    /// Stands for this cluster in the CDN-Loop field; empty: none is written.
    std::string_view loop_token = {};
  };

  /// Appends to `out`; writes the request's id, taken or made, to `id`.
  request_forwarder(const options& with, std::string& out, std::string& id,
                    request_id_source& ids);

  /// Names the server as the host: where the client named none (HTTP/1.0), as
  /// HTTP/1.1 needs one. Needs a complete header that was not sent yet; a later
  /// call replaces the name.
  void name_host(std::string_view server);

  /// Why the last `forward` failed.
  refusal why_refused(error_code failure) const;

  // The following need a complete header. The views hold until `out` changes.
  std::string_view method() const { return part(method_); }
  std::string_view target() const { return part(target_); }
  std::string_view host() const { return host_; }
  bool is_head() const { return is_head_request(); }
  bool is_http_1_0() const { return version_ == 10; }
  bool has_body() const { return has_body_; }
  bool names_host() const { return host_seen_ || absolute_target_; }
  /// Whether the server may switch protocols.
  bool wants_upgrade() const { return upgrading_; }
  /// How often the request came through this cluster already.
  std::uint32_t passes() const { return passes_; }
  /// Whether it makes the server take its connection for one user's.
  bool authenticates_connection() const { return authenticates_connection_; }
  /// Whether doing it twice is doing it once (RFC 9110 §9.2.2).
  bool is_idempotent() const;

private:
  struct range {
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  std::string_view part(range where) const {
    return std::string_view{out_}.substr(where.offset, where.size);
  }

  error_code refuse(unsigned status, std::string_view why);
  error_code take_target(std::string_view target);
  error_code take_host(std::string_view value);
  error_code take_transfer_coding(std::string_view value);
  void take_upgrade(std::string_view value);
  error_code take_expectation(std::string_view value);
  bool keeps_own_field(own_field which, std::string_view value);
  void append_framing();
  void append_way();
  void append_upgrade();

  error_code take_request_line(verb id, std::string_view method,
                               std::string_view target, int version) override;
  error_code take_field(field id, std::string_view name,
                        std::string_view value) override;
  error_code take_header_end() override;
  error_code take_body(std::string_view bytes) override;
  error_code take_chunk_header(std::uint64_t size) override;
  error_code take_chunk_body(std::uint64_t left,
                             std::string_view bytes) override;
  error_code take_end() override;

  options options_;
  std::string& id_;
  request_id_source& ids_;
  std::optional<refusal> refusal_;

  verb verb_{};
  int version_ = 11;
  range method_;
  range target_;
  std::size_t header_start_ = 0;
  std::string host_;
  std::string forwarded_for_;
  /// Size of the line that `name_host` wrote.
  std::size_t named_host_bytes_ = 0;
  bool host_seen_ = false;
  bool absolute_target_ = false;
  bool host_is_told_ = false;
  bool proto_is_told_ = false;
  bool has_body_ = false;
  std::uint32_t passes_ = 0;
  bool authenticates_connection_ = false;
  bool upgrading_ = false;
  std::string upgrade_to_;
  connection_options connection_;
};

} // namespace troupe::proxying

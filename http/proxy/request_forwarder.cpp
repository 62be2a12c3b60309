#include "http/proxy/request_forwarder.hpp"

#include <algorithm>
#include <array>

#include "http/parsing/request_target.hpp"

namespace troupe::proxying {

namespace {

namespace http = boost::beast::http;

/// An id that can stand in logs and JSON as it is.
bool is_request_id(std::string_view text) {
  constexpr std::size_t longest = 128;
  return !text.empty() && text.size() <= longest
         && std::all_of(text.begin(), text.end(), [](unsigned char c) {
              return c > ' ' && c < 0x7f && c != '"' && c != '\\';
            });
}

void append_hex(std::string& text, std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 16> result;
  for (auto i = result.rbegin(); i != result.rend(); ++i, number >>= 4)
    *i = digits[number & 15];
  text.append(result.data(), result.size());
}

} // namespace

void request_id_source::next(std::string& id) {
  id.clear();
  append_hex(id, prefix_);
  append_hex(id, ++count_);
}

request_forwarder::request_forwarder(const options& with, std::string& out,
                                     std::string& id, request_id_source& ids)
  : forwarder(out, with.max_header_bytes), options_(with), id_(id), ids_(ids) {
  id_.clear();
}

refusal request_forwarder::why_refused(error_code failure) const {
  if (refusal_)
    return *refusal_;
  return explain_refusal(failure, options_.max_header_bytes);
}

bool request_forwarder::is_idempotent() const {
  switch (verb_) {
    case http::verb::get:
    case http::verb::head:
    case http::verb::options:
    case http::verb::put:
    case http::verb::delete_:
      return true;
    default:
      return false;
  }
}

request_forwarder::error_code request_forwarder::refuse(unsigned status,
                                                        std::string_view why) {
  refusal_ = refusal{status, std::string{why}};
  return http::error::bad_value;
}

request_forwarder::error_code
request_forwarder::take_request_line(verb id, std::string_view method,
                                     std::string_view target, int version) {
  verb_ = id;
  version_ = version;
  if (id == verb::connect || id == verb::trace)
    return refuse(405, "the proxy does not take this method");
  method_ = {out_.size(), method.size()};
  out_.append(method).push_back(' ');
  if (auto failure = take_target(target))
    return failure;
  out_.append(" HTTP/1.1\r\n");
  header_start_ = out_.size();
  if (absolute_target_)
    out_.append("Host: ").append(host_).append("\r\n");
  return {};
}

request_forwarder::error_code
request_forwarder::take_target(std::string_view text) {
  auto target = read_target(text);
  if (!target.wrong.empty())
    return refuse(400, target.wrong);
  if (target.path == "*" && verb_ != verb::options)
    return refuse(400, "the request target is not a path");
  // absolute-form: its authority replaces Host (RFC 9112 §3.2.2).
  absolute_target_ = !target.authority.empty();
  if (absolute_target_)
    host_ = target.authority;
  auto start = out_.size();
  if (!target.path.starts_with('/') && target.path != "*")
    out_.push_back('/');
  out_.append(target.path);
  target_ = {start, out_.size() - start};
  return {};
}

request_forwarder::error_code
request_forwarder::take_field(field id, std::string_view name,
                              std::string_view value) {
  switch (id) {
    case field::unknown:
      if (!options_.loop_token.empty() && iequals(name, "cdn-loop"))
        passes_ += count_elements(value, options_.loop_token);
      if (keeps_own_field(own_field_of(name), value))
        append_field(out_, name, value);
      return {};
    case field::host:
      if (!absolute_target_)
        append_field(out_, name, value);
      return take_host(value);
    case field::authorization:
      authenticates_connection_ |= proxying::authenticates_connection(value);
      append_field(out_, name, value);
      return {};
    case field::transfer_encoding:
      return take_transfer_coding(value);
    case field::connection:
      connection_.add(value);
      return {};
    case field::upgrade:
      take_upgrade(value);
      return {};
    case field::expect:
      // An HTTP/1.0 client does not wait for 100 (RFC 9110 §10.1.1).
      if (version_ < 11)
        return {};
      append_field(out_, name, value);
      return take_expectation(value);
    case field::content_length:
      // The framing is ours.
    case field::forwarded:
      // Beside our X-Forwarded fields it would be another proxy's word, about
      // another part of the way.
      return {};
    default:
      if (!is_hop_by_hop(id))
        append_field(out_, name, value);
      return {};
  }
}

request_forwarder::error_code
request_forwarder::take_host(std::string_view value) {
  if (host_seen_)
    return refuse(400, "more than one Host field");
  if (!is_host_field(value))
    return refuse(400, bad_host);
  host_seen_ = true;
  if (!absolute_target_)
    host_ = value;
  return {};
}

request_forwarder::error_code
request_forwarder::take_transfer_coding(std::string_view value) {
  if (version_ < 11)
    return refuse(400, "Transfer-Encoding in an HTTP/1.0 request");
  if (!iequals(value, "chunked"))
    return refuse(400, "the only transfer coding taken is chunked");
  return {};
}

void request_forwarder::take_upgrade(std::string_view value) {
  if (!upgrade_to_.empty())
    upgrade_to_ += ", ";
  upgrade_to_ += value;
}

request_forwarder::error_code
request_forwarder::take_expectation(std::string_view value) {
  if (!iequals(value, "100-continue"))
    return refuse(417, "the only expectation met here is 100-continue");
  return {};
}

bool request_forwarder::keeps_own_field(own_field which,
                                        std::string_view value) {
  auto is_believed = options_.trusts_client;
  switch (which) {
    case own_field::none:
      return true;
    case own_field::request_id:
      if (id_.empty() && is_request_id(value))
        id_ = value;
      return false;
    case own_field::forwarded_for:
      if (is_believed && !value.empty())
        forwarded_for_.append(value).append(", ");
      return false;
    case own_field::forwarded_host:
      host_is_told_ |= is_believed;
      return is_believed;
    case own_field::forwarded_proto:
      proto_is_told_ |= is_believed;
      return is_believed;
    case own_field::other_claim:
      return is_believed;
    case own_field::never:
      return false;
  }
  return false;
}

request_forwarder::error_code request_forwarder::take_header_end() {
  if (version_ >= 11 && !host_seen_)
    return refuse(400, "an HTTP/1.1 request needs a Host field");
  connection_.remove_named_fields(out_, header_start_);
  append_framing();
  append_upgrade();
  append_way();
  if (id_.empty())
    ids_.next(id_);
  out_.append("X-Request-Id: ").append(id_).append("\r\n\r\n");
  return {};
}

void request_forwarder::append_way() {
  if (!proto_is_told_)
    out_.append("X-Forwarded-Proto: http\r\n");
  if (options_.adds_via)
    out_.append(version_ < 11 ? "Via: 1.0 troupe\r\n" : "Via: 1.1 troupe\r\n");
  // RFC 8586. Not Via, which makes servers leave out compression, and not a
  // field of our own: this one is made for it, and proxies on the way must not
  // remove it.
  if (!options_.loop_token.empty())
    out_.append("CDN-Loop: ").append(options_.loop_token).append("\r\n");
  // One line: servers differ in which of several they believe.
  out_.append("X-Forwarded-For: ")
    .append(forwarded_for_)
    .append(options_.client_address)
    .append("\r\n");
  if (!host_is_told_ && !host_.empty())
    out_.append("X-Forwarded-Host: ").append(host_).append("\r\n");
}

void request_forwarder::name_host(std::string_view server) {
  std::string line{"Host: "};
  line.append(server).append("\r\n");
  out_.replace(header_start_, named_host_bytes_, line);
  named_host_bytes_ = line.size();
}

void request_forwarder::append_framing() {
  if (chunked()) {
    has_body_ = true;
    out_.append("Transfer-Encoding: chunked\r\n");
  } else if (auto length = content_length()) {
    has_body_ = *length > 0;
    out_.append("Content-Length: ")
      .append(std::to_string(*length))
      .append("\r\n");
  }
}

void request_forwarder::append_upgrade() {
  // Clear-text HTTP/2 would carry requests past this proxy's rules.
  if (!connection_.upgrade || upgrade_to_.empty() || version_ < 11 || has_body_
      || iequals(std::string_view{upgrade_to_}.substr(0, 3), "h2c")
      || upgrade_to_.find(',') != std::string::npos)
    return;
  upgrading_ = true;
  out_.append("Connection: Upgrade\r\nUpgrade: ")
    .append(upgrade_to_)
    .append("\r\n");
}

request_forwarder::error_code
request_forwarder::take_body(std::string_view bytes) {
  out_.append(bytes);
  return {};
}

request_forwarder::error_code
request_forwarder::take_chunk_header(std::uint64_t size) {
  append_chunk_header(out_, size);
  return {};
}

request_forwarder::error_code
request_forwarder::take_chunk_body(std::uint64_t left, std::string_view bytes) {
  out_.append(bytes);
  if (left == bytes.size())
    out_.append("\r\n");
  return {};
}

request_forwarder::error_code request_forwarder::take_end() {
  if (chunked())
    out_.append("0\r\n\r\n");
  return {};
}

} // namespace troupe::proxying

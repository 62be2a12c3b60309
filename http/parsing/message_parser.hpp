#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/parsing/broken_parser.hpp"
#include "http/parsing/element_scanner.hpp"

namespace troupe {

/// Beast's parser made fit for the bytes of strangers. All that reads HTTP here
/// derives from it: Beast 1.74's own `put`
///
/// - goes on to the body after a head was refused, and the next callback that
///   clears the error code makes the refusal forgotten;
/// - asserts that it is called again with at least 5 bytes after it has seen a
///   last chunk's first line (mended in Boost 1.86);
/// - sees some faults only when the whole head is there, others at once.
///
/// So it gets whole elements only (`element_scanner`), one per call, and each
/// of its callbacks passes one gate that stays shut once something was refused:
/// a hook below can't run any more, whatever Beast does. The hooks return what
/// is wrong, or nothing; none sees, and so none can clear, what another said.
template <bool is_request>
class message_parser : private boost::beast::http::basic_parser<is_request> {
  using base = boost::beast::http::basic_parser<is_request>;

public:
  using error_code = boost::system::error_code;
  using verb = boost::beast::http::verb;
  using field = boost::beast::http::field;

  message_parser(const message_parser&) = delete;
  message_parser& operator=(const message_parser&) = delete;

  /// Parses up to the message's end and returns how many bytes were used; the
  /// others come again, with more behind them, at the next call.
  /// @param failure `need_more`, or why the message is refused: then it is at
  /// every later call as well.
  std::size_t parse(std::string_view input, error_code& failure) {
    std::size_t used = 0;
    failure = refused_;
    while (!failure && !is_done()) {
      auto rest = input.substr(used);
      auto size = next_element(rest, failure);
      if (!failure)
        used += parse_element(rest.substr(0, size), failure);
    }
    if (failure && failure != boost::beast::http::error::need_more)
      refused_ = failure;
    return used;
  }

  /// The connection ended. Fails unless that is how the body ends.
  void put_eof(error_code& failure) {
    failure = refused_;
    if (!failure && !base::got_some())
      failure = boost::beast::http::error::end_of_stream;
    if (!failure)
      base::put_eof(failure);
    refused_ = failure;
  }

  /// Whether the whole message was there, and taken.
  bool is_done() const { return !refused_ && base::is_done(); }

  /// Whether the head was there, and taken.
  bool is_header_done() const { return !refused_ && header_done_; }

  bool is_refused() const { return static_cast<bool>(refused_); }

  /// Whether the start line was whole, even if the message was refused.
  bool start_line_done() const {
    return base::got_some() || scanner_.start_line_done();
  }

  /// Whether a request's method is HEAD, even if it was refused: its answer has
  /// no body.
  bool is_head_request() const { return is_head_request_; }

  // The following need a head that is done.
  using base::chunked;
  using base::content_length;
  using base::keep_alive;

protected:
  /// @param max_head_bytes of the head, and of trailers; more is refused with
  /// `header_limit`.
  explicit message_parser(std::size_t max_head_bytes)
    : scanner_(is_request, max_head_bytes) {
    base::eager(false);
    // The scanner knows the limit. Beast gets nothing larger.
    base::header_limit(std::numeric_limits<std::uint32_t>::max());
    // Not none, which Beast 1.74 takes for 0.
    base::body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  ~message_parser() override = default;

  /// A body that is longer is refused with `body_limit`.
  void max_body_bytes(std::uint64_t limit) { base::body_limit(limit); }

  /// The message ends with its head, whatever that says.
  void expect_no_body() { base::skip(true); }

  // Hooks, in the order of their calls. Whatever they return but nothing
  // refuses the message. Views hold during the call.

  /// Of a request. `version` is 10 or 11.
  virtual error_code take_request_line(verb, std::string_view /*method*/,
                                       std::string_view /*target*/,
                                       int /*version*/) {
    return {};
  }

  /// Of a response.
  virtual error_code take_status_line(unsigned /*status*/,
                                      std::string_view /*reason*/,
                                      int /*version*/) {
    return {};
  }

  /// A header field; `name` and `value` are parts of one text.
  virtual error_code take_field(field id, std::string_view name,
                                std::string_view value) = 0;

  virtual error_code take_header_end() = 0;

  /// A piece of a body that is not chunked.
  virtual error_code take_body(std::string_view bytes) = 0;

  /// A chunk of `size` bytes begins. Not called for the last one, of 0.
  virtual error_code take_chunk_header(std::uint64_t /*size*/) { return {}; }

  /// A piece of a chunk, of which `left` bytes are to come, these among them.
  virtual error_code take_chunk_body(std::uint64_t left,
                                     std::string_view bytes) = 0;

  /// Trailers may be discarded (RFC 9110 §6.5.1).
  virtual error_code take_trailer(std::string_view /*name*/,
                                  std::string_view /*value*/) {
    return {};
  }

  virtual error_code take_end() { return {}; }

private:
  using string_view = boost::beast::string_view;

  static std::string_view to_std(string_view text) {
    return {text.data(), text.size()};
  }

  std::size_t next_element(std::string_view input, error_code& failure) {
    if (!header_done_) {
      is_head_request_ = is_request && input.starts_with("HEAD ");
      return scanner_.head(input, failure);
    }
    if (chunk_header_due_)
      return scanner_.chunk_header(input, first_chunk_, failure);
    if (input.empty())
      failure = boost::beast::http::error::need_more;
    return input.size();
  }

  std::size_t parse_element(std::string_view element, error_code& failure) {
    namespace http = boost::beast::http;
    auto has_lines = !header_done_ || chunk_header_due_;
    auto is_head = !header_done_;
    std::string with_space;
    if (!is_request && is_head && lacks_space_after_status(element)) {
      with_space.assign(element).insert(element.find("\r\n"), " ");
      put(with_space, failure);
      return failure ? 0 : element.size();
    }
    auto used = put(element, failure);
    // It is whole: what would need more, or less, is not what it should be.
    if (has_lines
        && (failure ? failure == http::error::need_more
                    : used != element.size()))
      failure = is_head ? http::error::bad_version : http::error::bad_chunk;
    if (is_request && is_head && failure == http::error::bad_version
        && !names_http_version(element))
      failure = http::error::bad_target;
    return used;
  }

  std::size_t put(std::string_view bytes, error_code& failure) {
    try {
      return base::put({bytes.data(), bytes.size()}, failure);
    } catch (const library_assertion& broken) {
      failure = report(broken);
      return 0;
    }
  }

  /// Every callback passes here.
  template <class Hook>
  void pass(error_code& failure, Hook hook) {
    if (!refused_)
      refused_ = failure; // What Beast itself found wrong just before.
    if (!refused_)
      refused_ = hook();
    failure = refused_;
  }

  void on_request_impl(verb id, string_view method, string_view target,
                       int version, error_code& failure) final {
    pass(failure, [&] {
      return take_request_line(id, to_std(method), to_std(target), version);
    });
  }

  void on_response_impl(int status, string_view reason, int version,
                        error_code& failure) final {
    pass(failure, [&] {
      return take_status_line(static_cast<unsigned>(status), to_std(reason),
                              version);
    });
  }

  void on_field_impl(field id, string_view name, string_view value,
                     error_code& failure) final {
    pass(failure, [&] {
      return header_done_ ? take_trailer(to_std(name), to_std(value))
                          : take_field(id, to_std(name), to_std(value));
    });
  }

  void on_header_impl(error_code& failure) final {
    header_done_ = true;
    chunk_header_due_ = base::chunked();
    pass(failure, [&] { return take_header_end(); });
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&,
                         error_code& failure) final {
    pass(failure, [] { return error_code{}; });
  }

  std::size_t on_body_impl(string_view bytes, error_code& failure) final {
    pass(failure, [&] { return take_body(to_std(bytes)); });
    return failure ? 0 : bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t size, string_view,
                            error_code& failure) final {
    chunk_header_due_ = first_chunk_ = false;
    pass(failure,
         [&] { return size > 0 ? take_chunk_header(size) : error_code{}; });
  }

  std::size_t on_chunk_body_impl(std::uint64_t left, string_view bytes,
                                 error_code& failure) final {
    chunk_header_due_ = left == bytes.size();
    pass(failure, [&] { return take_chunk_body(left, to_std(bytes)); });
    return failure ? 0 : bytes.size();
  }

  void on_finish_impl(error_code& failure) final {
    pass(failure, [&] { return take_end(); });
  }

  element_scanner scanner_;
  error_code refused_;
  bool header_done_ = false;
  bool chunk_header_due_ = false;
  bool first_chunk_ = true;
  bool is_head_request_ = false;
};

} // namespace troupe

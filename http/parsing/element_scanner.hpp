#pragma once

#include <cstddef>
#include <string_view>

#include <boost/system/error_code.hpp>

namespace troupe {

/// Finds where the parts of an HTTP/1 message that have lines end, so that a
/// parser gets each of them whole: the head, a chunk's header, the last chunk
/// with its trailers. What is wrong with the lines themselves is found here, at
/// the byte where it shows, so that the pieces in which a message arrives
/// change nothing.
///
/// Each call gets the element's bytes from its first one, those of the call
/// before among them, and answers the element's size; or 0 and why:
/// `http::error::need_more` or what is wrong.
class element_scanner {
public:
  using error_code = boost::system::error_code;

  /// Longest first line of a chunk, its extensions included. Chunks carry data:
  /// who sends kilobytes of extensions for them wants something else.
  static constexpr std::size_t max_chunk_header_bytes = 4096;

  /// @param max_lines_bytes of a head, and of trailers.
  element_scanner(bool is_request, std::size_t max_lines_bytes)
    : is_request_(is_request), max_lines_bytes_(max_lines_bytes) {}

  /// Start line and header fields, with the empty line at the end.
  std::size_t head(std::string_view input, error_code& failure);

  /// A chunk's size and extensions. Of all chunks but the first it begins with
  /// the line end of the data before; the last chunk's ends with the trailers.
  std::size_t chunk_header(std::string_view input, bool is_first,
                           error_code& failure);

  /// Whether `head` got past the start line.
  bool start_line_done() const noexcept { return line_ > 0; }

private:
  bool start_is_possible(std::string_view input, error_code& failure);
  std::size_t to_empty_line(std::string_view input, std::size_t limit,
                            error_code& failure);

  bool is_request_;
  bool start_checked_ = false;
  std::size_t max_lines_bytes_;
  /// Where the line that is looked at starts.
  std::size_t line_ = 0;
  /// Up to where no line end was found.
  std::size_t scanned_ = 0;
};

/// Whether the start line of a request's `head` ends as one of some version of
/// HTTP, spoken here or not. When not, something else is wrong with it.
bool names_http_version(std::string_view head) noexcept;

/// Whether the start line is `HTTP/1.1 200` without the space that belongs
/// behind it, which a reason may but need not follow (RFC 9112 §4).
bool lacks_space_after_status(std::string_view head) noexcept;

} // namespace troupe

#include "http/parsing/element_scanner.hpp"

#include <algorithm>

#include <boost/beast/http/error.hpp>

#include "http/parsing/characters.hpp"

namespace troupe {

namespace http = boost::beast::http;

namespace {

std::string_view first_line(std::string_view head) noexcept {
  return head.substr(0, head.find("\r\n"));
}

std::size_t fail(http::error why, boost::system::error_code& failure) {
  failure = why;
  return 0;
}

/// Past the line end that closes a chunk's data.
std::size_t after_data(std::string_view input,
                       boost::system::error_code& failure) {
  constexpr std::string_view line_end = "\r\n";
  auto here = input.substr(0, line_end.size());
  if (!line_end.starts_with(here))
    return fail(http::error::bad_chunk, failure);
  if (here.size() < line_end.size())
    return fail(http::error::need_more, failure);
  return line_end.size();
}

/// Past a chunk's first line, which starts at `begin`.
std::size_t after_chunk_line(std::string_view input, std::size_t begin,
                             std::size_t digits_end,
                             boost::system::error_code& failure) {
  constexpr auto longest = element_scanner::max_chunk_header_bytes;
  for (auto i = digits_end; i < input.size() && i - begin < longest; ++i) {
    auto c = input[i];
    if (c == '\r') {
      if (i + 1 == input.size())
        break;
      return input[i + 1] == '\n'
               ? i + 2
               : fail(http::error::bad_chunk_extension, failure);
    }
    if (is_control(c))
      return fail(http::error::bad_chunk_extension, failure);
  }
  return fail(input.size() - begin > longest ? http::error::bad_chunk_extension
                                             : http::error::need_more,
              failure);
}

} // namespace

std::size_t element_scanner::head(std::string_view input, error_code& failure) {
  if (!start_checked_ && !start_is_possible(input, failure))
    return 0;
  auto size = to_empty_line(input, max_lines_bytes_, failure);
  if (!failure)
    line_ = scanned_ = 0; // The body's lines start anew.
  return size;
}

/// Says early what is no HTTP at all: whoever speaks something else need not
/// ever send an empty line.
bool element_scanner::start_is_possible(std::string_view input,
                                        error_code& failure) {
  if (!is_request_) {
    constexpr std::string_view start = "HTTP/";
    auto here = input.substr(0, start.size());
    start_checked_ = here.size() == start.size();
    if (!start.starts_with(here))
      failure = http::error::bad_version;
    return !failure;
  }
  input = input.substr(0, max_lines_bytes_);
  auto end =
    std::find_if_not(input.begin() + scanned_, input.end(), is_token_char);
  if (end == input.end())
    return true;
  auto size = static_cast<std::size_t>(end - input.begin());
  start_checked_ = true;
  if (size == 0 || *end != ' ')
    failure = http::error::bad_method;
  return !failure;
}

std::size_t element_scanner::to_empty_line(std::string_view input,
                                           std::size_t limit,
                                           error_code& failure) {
  auto seen = input.substr(0, limit);
  for (;;) {
    auto is_field = line_ > 0;
    if (is_field && line_ < seen.size()
        && (seen[line_] == ' ' || seen[line_] == '\t'))
      return fail(http::error::bad_obs_fold, failure);
    auto end = seen.find('\n', std::max(line_, scanned_));
    if (end == seen.npos)
      break;
    if (end == line_ || seen[end - 1] != '\r')
      return fail(http::error::bad_line_ending, failure);
    auto is_empty = end == line_ + 1;
    line_ = end + 1;
    if (is_empty)
      return line_;
  }
  scanned_ = seen.size();
  return fail(input.size() > limit ? http::error::header_limit
                                   : http::error::need_more,
              failure);
}

std::size_t element_scanner::chunk_header(std::string_view input, bool is_first,
                                          error_code& failure) {
  auto begin = is_first ? 0 : after_data(input, failure);
  if (failure)
    return 0;
  auto from = input.begin() + static_cast<std::ptrdiff_t>(begin);
  auto longest = input.begin()
                 + static_cast<std::ptrdiff_t>(
                   std::min(input.size(), begin + max_chunk_header_bytes));
  auto digits_end = std::find_if_not(from, longest, is_hex_digit);
  auto knows_size = digits_end != longest;
  constexpr std::string_view ends = "\r; \t";
  if (knows_size && (digits_end == from || ends.find(*digits_end) == ends.npos))
    return fail(http::error::bad_chunk, failure);
  auto end = after_chunk_line(
    input, begin, static_cast<std::size_t>(digits_end - input.begin()),
    failure);
  if (failure)
    return 0;
  auto is_last =
    std::all_of(from, digits_end, [](char digit) { return digit == '0'; });
  if (!is_last)
    return end;
  if (line_ < end)
    line_ = end;
  return to_empty_line(input, end + max_lines_bytes_, failure);
}

bool names_http_version(std::string_view head) noexcept {
  auto line = first_line(head);
  constexpr std::size_t size = std::string_view{" HTTP/1.1"}.size();
  if (line.size() < size || std::count(line.begin(), line.end(), ' ') != 2)
    return false;
  auto version = line.substr(line.size() - size);
  return version.starts_with(" HTTP/") && is_digit(version[6])
         && version[7] == '.' && is_digit(version[8]);
}

bool lacks_space_after_status(std::string_view head) noexcept {
  auto line = first_line(head);
  constexpr std::size_t size = std::string_view{"HTTP/1.1 200"}.size();
  return line.size() == size && line.find(' ') == 8;
}

} // namespace troupe

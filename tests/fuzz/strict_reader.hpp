#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP/1.1 read again, from RFC 9110 and 9112 alone: by the letter, in one
// piece and without a line of what it is to judge.

namespace troupe::fuzz {

struct message {
  /// Method, target and version, or version, status and reason.
  std::string start[3];
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  /// How many fields have that name, in small letters, in any case.
  std::size_t count(std::string_view name) const;

  /// The first field's value.
  std::optional<std::string> value(std::string_view name) const;
};

enum class verdict {
  whole,
  /// So far it is the begin of one.
  partial,
  bad
};

/// Reads one message from the front of a text.
class strict_reader {
public:
  explicit strict_reader(std::string_view text) : text_(text) {}

  verdict read_request(message& to);

  /// @param answers_head whether it answers HEAD.
  /// @param at_end whether the text is all that came before the connection's
  /// end, which a body may need.
  verdict read_response(message& to, bool answers_head, bool at_end);

  /// Whether the last response's body was one that the connection ends.
  bool read_to_end() const { return read_to_end_; }

  std::string_view rest() const { return text_.substr(at_); }

private:
  verdict line(std::string_view& to);
  verdict fields(message& to);
  verdict counted_body(message& to, std::size_t size);
  verdict chunks(message& to);
  verdict trailers();

  std::string_view text_;
  std::size_t at_ = 0;
  bool read_to_end_ = false;
};

} // namespace troupe::fuzz

#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "http/parsing/message_parser.hpp"

namespace troupe::proxying {

/// Parses one message and, in the same pass, writes its forwarded form to a
/// string of the owner's.
template <bool is_request>
class forwarder : public message_parser<is_request> {
public:
  using error_code = boost::system::error_code;

  /// Parses up to the message's end and appends to `out` what is to be
  /// forwarded. Returns how many bytes were used; the others come again. In
  /// between the owner may empty `out`. A message that is refused leaves
  /// nothing in it.
  std::size_t forward(std::string_view input, error_code& failure) {
    begin_ = std::min(begin_, out_.size());
    auto used = this->parse(input, failure);
    if (this->is_refused() && out_.size() > begin_)
      out_.resize(begin_);
    return used;
  }

protected:
  forwarder(std::string& out, std::size_t max_head_bytes)
    : message_parser<is_request>(max_head_bytes), out_(out),
      begin_(out.size()) {}

  std::string& out_;

private:
  /// Where in `out` what is not with the receiver yet begins.
  std::size_t begin_;
};

} // namespace troupe::proxying

#include "tests/fuzz/strict_reader.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe::fuzz {

namespace {

constexpr auto npos = std::string_view::npos;

bool digit(unsigned char c) {
  return c >= '0' && c <= '9';
}

bool letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return digit(c) || letter(c)
           || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != npos;
  });
}

/// field-vchar, obs-text, blanks
bool text_char(unsigned char c) {
  return c == '\t' || (c >= ' ' && c != 0x7f);
}

bool plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return text_char(c); });
}

std::string small(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c += 'a' - 'A';
  return result;
}

std::string_view trimmed(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

bool version(std::string_view text) {
  return text == "HTTP/1.1" || text == "HTTP/1.0";
}

int hex(char c) {
  if (digit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct framing {
  bool valid = true;
  bool chunked = false;
  std::optional<std::uint64_t> length;
};

/// 1*DIGIT, within 64 bits.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t result = 0;
  for (auto c : text) {
    if (!digit(c) || result > (UINT64_MAX - 9) / 10)
      return std::nullopt;
    result = result * 10 + static_cast<unsigned>(c - '0');
  }
  return text.empty() ? std::nullopt : std::optional{result};
}

/// RFC 9112 §6.3, without what it allows to guess.
framing framing_of(const message& from) {
  framing result;
  for (auto& [name, value] : from.fields) {
    if (name == "transfer-encoding") {
      result.valid &= !result.chunked && small(value) == "chunked";
      result.chunked = true;
    } else if (name == "content-length") {
      // A list of one and the same number is one number (RFC 9110 §8.6).
      std::string_view rest = value;
      for (auto more = true; more;) {
        auto comma = rest.find(',');
        auto length = number(trimmed(rest.substr(0, comma)));
        result.valid &= length && result.length.value_or(*length) == *length;
        result.length = length;
        more = comma != npos;
        rest.remove_prefix(more ? comma + 1 : 0);
        if (!result.valid)
          return result;
      }
    }
  }
  result.valid &= !result.chunked || !result.length;
  return result;
}

} // namespace

std::size_t message::count(std::string_view name) const {
  return static_cast<std::size_t>(
    std::count_if(fields.begin(), fields.end(),
                  [&](auto& field) { return field.first == name; }));
}

std::optional<std::string> message::value(std::string_view name) const {
  for (auto& [other, value] : fields)
    if (other == name)
      return value;
  return std::nullopt;
}

verdict strict_reader::line(std::string_view& to) {
  auto end = text_.find_first_of("\r\n", at_);
  if (end == npos || (text_[end] == '\r' && end + 1 == text_.size()))
    return verdict::partial;
  if (text_.substr(end, 2) != "\r\n")
    return verdict::bad;
  to = text_.substr(at_, end - at_);
  at_ = end + 2;
  return verdict::whole;
}

verdict strict_reader::fields(message& to) {
  for (;;) {
    std::string_view text;
    if (auto what = line(text); what != verdict::whole)
      return what;
    if (text.empty())
      return verdict::whole;
    auto colon = text.find(':');
    if (colon == npos || !token(text.substr(0, colon)) || !plain(text))
      return verdict::bad;
    to.fields.emplace_back(small(text.substr(0, colon)),
                           trimmed(text.substr(colon + 1)));
  }
}

verdict strict_reader::counted_body(message& to, std::size_t size) {
  to.body = text_.substr(at_, size);
  at_ += to.body.size();
  return to.body.size() == size ? verdict::whole : verdict::partial;
}

verdict strict_reader::trailers() {
  message ignored;
  return fields(ignored);
}

verdict strict_reader::chunks(message& to) {
  for (;;) {
    std::string_view text;
    if (auto what = line(text); what != verdict::whole)
      return what;
    std::uint64_t size = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && hex(text[digits]) >= 0; ++digits) {
      if (size >> 60 != 0)
        return verdict::bad;
      size = size * 16 + static_cast<unsigned>(hex(text[digits]));
    }
    auto extensions = trimmed(text.substr(digits));
    if (digits == 0 || !plain(text)
        || (!extensions.empty() && extensions[0] != ';'))
      return verdict::bad;
    if (size == 0)
      return trailers();
    message part;
    auto what = counted_body(part, size);
    to.body += part.body;
    if (what != verdict::whole)
      return what;
    if (text_.substr(at_, 2) != "\r\n")
      return std::string_view{"\r\n"}.starts_with(text_.substr(at_))
               ? verdict::partial
               : verdict::bad;
    at_ += 2;
  }
}

verdict strict_reader::read_request(message& to) {
  std::string_view text;
  if (auto what = line(text); what != verdict::whole)
    return what;
  auto first = text.find(' ');
  auto last = text.rfind(' ');
  if (first == npos || first == last || !plain(text))
    return verdict::bad;
  to.start[0] = text.substr(0, first);
  to.start[1] = text.substr(first + 1, last - first - 1);
  to.start[2] = text.substr(last + 1);
  if (!token(to.start[0]) || to.start[1].empty()
      || to.start[1].find_first_of(" \t") != npos || !version(to.start[2]))
    return verdict::bad;
  if (auto what = fields(to); what != verdict::whole)
    return what;
  auto how = framing_of(to);
  if (!how.valid || (how.chunked && to.start[2] == "HTTP/1.0"))
    return verdict::bad;
  return how.chunked ? chunks(to) : counted_body(to, how.length.value_or(0));
}

verdict strict_reader::read_response(message& to, bool answers_head,
                                     bool at_end) {
  read_to_end_ = false;
  std::string_view text;
  if (auto what = line(text); what != verdict::whole)
    return what;
  to.start[0] = text.substr(0, 8);
  to.start[1] = text.substr(std::min<std::size_t>(9, text.size()), 3);
  auto& status = to.start[1];
  // The one leniency: the space behind the status may lack.
  if (!version(to.start[0]) || text.size() < 12 || text[8] != ' '
      || (text.size() > 12 && text[12] != ' ') || !plain(text)
      || !std::all_of(status.begin(), status.end(), digit) || status[0] == '0')
    return verdict::bad;
  to.start[2] = text.size() > 12 ? text.substr(13) : std::string_view{};
  if (auto what = fields(to); what != verdict::whole)
    return what;
  auto how = framing_of(to);
  if (!how.valid)
    return verdict::bad;
  if (answers_head || status[0] == '1' || status == "204" || status == "304")
    return verdict::whole;
  if (how.chunked)
    return chunks(to);
  if (how.length)
    return counted_body(to, *how.length);
  read_to_end_ = true;
  counted_body(to, text_.size() - at_);
  return at_end ? verdict::whole : verdict::partial;
}

} // namespace troupe::fuzz

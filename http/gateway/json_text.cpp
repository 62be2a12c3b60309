#include "http/gateway/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <msgpack.hpp>

namespace troupe {

namespace {

/// The length of the UTF-8 sequence at the begin of `text`, or 0. Refuses
/// overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629 §4).
std::size_t utf8_sequence(std::string_view text) {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  auto tail = [&](std::size_t i) { return within(i, 0x80, 0xbf); };
  auto first = byte(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    auto low = first == 0xe0 ? 0xa0u : 0x80u;
    auto high = first == 0xed ? 0x9fu : 0xbfu;
    return within(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    auto low = first == 0xf0 ? 0x90u : 0x80u;
    auto high = first == 0xf4 ? 0x8fu : 0xbfu;
    return within(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_plain(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
  }
}

template <class T>
void append_digits(std::string& out, T value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

/// msgpack-c's parser calls these in the order of the bytes. `start_array` and
/// the like decide by their result whether parsing goes on.
class json_visitor : public msgpack::null_visitor {
public:
  explicit json_visitor(std::string& out) : out_(out) {}

  bool visit_nil() { return plain("null"); }

  bool visit_boolean(bool value) { return plain(value ? "true" : "false"); }

  bool visit_positive_integer(std::uint64_t value) { return integer(value); }

  bool visit_negative_integer(std::int64_t value) { return integer(value); }

  bool visit_float32(float value) { return visit_float64(value); }

  bool visit_float64(double value) {
    if (in_key_)
      return false;
    append_json_number(out_, value);
    return true;
  }

  bool visit_str(const char* text, std::uint32_t size) {
    append_json_string(out_, {text, size});
    return true;
  }

  bool visit_bin(const char*, std::uint32_t) { return false; }

  bool visit_ext(const char*, std::uint32_t) { return false; }

  bool start_array(std::uint32_t) { return open('['); }

  bool end_array_item() { return plain(","); }

  bool end_array() { return close('[', ']'); }

  bool start_map(std::uint32_t) { return open('{'); }

  bool start_map_key() {
    in_key_ = true;
    return true;
  }

  bool end_map_key() {
    in_key_ = false;
    out_ += ':';
    return true;
  }

  bool end_map_value() { return plain(","); }

  bool end_map() { return close('{', '}'); }

private:
  // JSON's keys are strings.
  bool plain(std::string_view text) {
    out_ += text;
    return !in_key_;
  }

  template <class T>
  bool integer(T value) {
    append_digits(out_, value);
    return !in_key_;
  }

  bool open(char bracket) {
    out_ += bracket;
    return !in_key_ && ++depth_ <= max_json_depth;
  }

  bool close(char opening, char closing) {
    --depth_;
    if (out_.back() == ',')
      out_.back() = closing;
    else if (out_.back() == opening)
      out_ += closing;
    return true;
  }

  std::string& out_;
  std::uint32_t depth_ = 0;
  bool in_key_ = false;
};

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain]))
      ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty())
      break;
    auto length = utf8_sequence(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      length = 1;
    } else if (length == 1) {
      append_escape(out, text.front());
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  auto begin = out.size();
  append_digits(out, value);
  // Keeps it a float for those who tell floats from integers.
  if (out.find_first_of(".e", begin) == std::string::npos)
    out += ".0";
}

bool append_json_of_msgpack(std::string& out, std::string_view bytes) {
  try {
    json_visitor visitor{out};
    std::size_t offset = 0;
    return msgpack::parse(bytes.data(), bytes.size(), offset, visitor)
           && offset == bytes.size();
  } catch (const msgpack::unpack_error&) {
    return false;
  }
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    auto length = utf8_sequence(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto left = bytes.size() - i;
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits =
        bits << 8 | (j < left ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += j <= left ? digits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

} // namespace troupe

#include "node/config/value.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

namespace troupe {

namespace {

using nlohmann::json;

/// Containers within each other. A value is walked recursively, and no setting
/// needs more than four.
constexpr std::size_t max_depth = 64;

/// What the parser says, without the text it has read: that may be a secret.
/// "[json.exception.…] parse error at line 1, column 2: syntax error …; last
/// read: '…'; expected …"
std::string without_text(std::string_view message) {
  if (auto start = message.find(": "); start != message.npos)
    message.remove_prefix(start + 2);
  return std::string{message.substr(0, message.find("; last read: "))};
}

/// How far the lexer has read.
struct cursor {
  std::uint32_t line = 1;
  std::uint32_t column = 0;
  /// The line of the last character but one.
  std::uint32_t previous_line = 1;
};

/// Counts lines while the lexer reads, because its SAX events carry no
/// position.
class counting_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* at, cursor* where) : at_(at), where_(where) {}

  reference operator*() const { return *at_; }

  counting_iterator& operator++() {
    where_->previous_line = where_->line;
    ++where_->column;
    if (*at_ == '\n') {
      ++where_->line;
      where_->column = 0;
    }
    ++at_;
    return *this;
  }

  bool operator==(const counting_iterator& other) const {
    return at_ == other.at_;
  }

private:
  const char* at_;
  cursor* where_;
};

/// Builds a `config_value` from the parser's events.
class tree_builder final : public nlohmann::json_sax<json> {
public:
  explicit tree_builder(const cursor& where) : where_(where) {}

  bool null() override { return leaf(std::monostate{}, where_.line); }
  bool boolean(bool x) override { return leaf(x, where_.line); }
  bool string(string_t& x) override { return leaf(std::move(x), where_.line); }
  bool binary(binary_t&) override { return false; }

  // The lexer knows a number's end only from the character behind it.
  bool number_integer(number_integer_t x) override {
    return leaf(std::int64_t{x}, where_.previous_line);
  }

  bool number_unsigned(number_unsigned_t x) override {
    if (std::in_range<std::int64_t>(x))
      return leaf(static_cast<std::int64_t>(x), where_.previous_line);
    return leaf(static_cast<double>(x), where_.previous_line);
  }

  bool number_float(number_float_t x, const string_t&) override {
    return leaf(x, where_.previous_line);
  }

  bool start_object(std::size_t) override { return open(config_object{}); }
  bool start_array(std::size_t) override { return open(config_list{}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& members = std::get<config_object>(open_.back()->data);
    auto same = [&](const config_member& x) { return x.key == name; };
    if (std::any_of(members.begin(), members.end(), same))
      return fail("the key \"" + name + "\" stands here twice");
    members.push_back({std::move(name), {{}, where_.line}});
    return true;
  }

  bool parse_error(std::size_t, const std::string&,
                   const json::exception& what) override {
    return fail(without_text(what.what()));
  }

  config_value root;
  syntax_error error;

private:
  template <class T>
  bool leaf(T x, std::uint32_t line) {
    place({std::move(x), line});
    return true;
  }

  template <class T>
  bool open(T x) {
    if (open_.size() == max_depth)
      return fail("nested deeper than " + std::to_string(max_depth)
                  + " levels");
    open_.push_back(place({std::move(x), where_.line}));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  /// Puts a value where the parser stands. Pointers to open containers stay
  /// valid: only the innermost one grows.
  config_value* place(config_value x) {
    if (open_.empty()) {
      root = std::move(x);
      return &root;
    }
    if (auto list = std::get_if<config_list>(&open_.back()->data))
      return &list->emplace_back(std::move(x));
    auto& member = std::get<config_object>(open_.back()->data).back();
    member.value = std::move(x);
    return &member.value;
  }

  bool fail(std::string what) {
    error = {where_.line, std::max(where_.column, 1u), std::move(what)};
    return false;
  }

  const cursor& where_;
  std::vector<config_value*> open_;
};

json to_tree(const config_value& value) {
  struct {
    json operator()(std::monostate) { return nullptr; }
    json operator()(bool x) { return x; }
    json operator()(std::int64_t x) { return x; }
    json operator()(double x) { return x; }
    json operator()(const std::string& x) { return x; }

    json operator()(const config_list& x) {
      auto result = json::array();
      for (auto& item : x)
        result.push_back(to_tree(item));
      return result;
    }

    json operator()(const config_object& x) {
      auto result = json::object();
      for (auto& [key, item] : x)
        result[key] = to_tree(item);
      return result;
    }
  } convert;
  return std::visit(convert, value.data);
}

} // namespace

std::variant<config_value, syntax_error> parse_json(std::string_view text) {
  cursor where;
  tree_builder builder{where};
  counting_iterator first{text.data(), &where};
  counting_iterator last{text.data() + text.size(), &where};
  constexpr bool whole_text = true;
  constexpr bool with_comments = true;
  if (!json::sax_parse(first, last, &builder, json::input_format_t::json,
                       whole_text, with_comments))
    return std::move(builder.error);
  return std::move(builder.root);
}

std::string to_json(const config_value& value) {
  // Bytes that are no UTF-8 (from the environment) are replaced, not thrown at.
  return to_tree(value).dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace troupe

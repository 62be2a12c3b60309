#define CAF_SUITE msgpack

#include "messages/msgpack.hpp"

#include <caf/test/dsl.hpp>

namespace {

enum class color : std::uint8_t { red, green };

struct old_shape {
  std::string name;
  color paint = color::red;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, old_shape& x) {
  return f(caf::meta::type_name("shape"), x.name, x.paint);
}

/// `old_shape` with what a later version added.
struct shape {
  std::string name;
  color paint = color::red;
  std::vector<std::int64_t> sizes{7};
  std::map<std::string, double> weights;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, shape& x) {
  return f(caf::meta::type_name("shape"), x.name, x.paint, x.sizes, x.weights);
}

using either = std::variant<std::string, old_shape>;
using fewer = std::variant<std::string>;

template <class T>
T read(const std::string& bytes) {
  T result;
  if (auto mismatch = troupe::read_msgpack(bytes, result))
    CAF_FAIL("not read: " << *mismatch);
  return result;
}

template <class T>
std::string failure(std::string_view bytes, bool* newer = nullptr) {
  T result;
  return troupe::read_msgpack(bytes, result, newer).value_or("");
}

} // namespace

CAF_TEST(a struct is an array of its fields) {
  CAF_CHECK_EQUAL(troupe::write_msgpack(old_shape{"box", color::green}),
                  std::string("\x92\xa3"
                              "box\x01"));
}

CAF_TEST(values survive writing and reading) {
  shape x{std::string("a\0b", 3),
          color::green,
          {-1, 0, INT64_MAX},
          {{"left", 0.5}, {"right", -2}}};
  auto y = read<shape>(troupe::write_msgpack(x));
  CAF_CHECK_EQUAL(y.name, x.name);
  CAF_CHECK(y.paint == x.paint);
  CAF_CHECK_EQUAL(y.sizes, x.sizes);
  CAF_CHECK_EQUAL(y.weights, x.weights);
}

CAF_TEST(fields that an older version did not write keep their defaults) {
  auto x = read<shape>(troupe::write_msgpack(old_shape{"box", color::green}));
  CAF_CHECK_EQUAL(x.name, "box");
  CAF_CHECK(x.paint == color::green);
  CAF_CHECK_EQUAL(x.sizes, std::vector<std::int64_t>{7});
}

CAF_TEST(what only a newer version can have written is told apart) {
  bool newer = false;
  CAF_CHECK_NOT_EQUAL(
    failure<old_shape>(troupe::write_msgpack(shape{}), &newer), "");
  CAF_CHECK(newer);
  newer = false;
  auto bytes = troupe::write_msgpack(either{old_shape{}});
  CAF_CHECK_EQUAL(failure<fewer>(bytes, &newer), "unknown alternative 1");
  CAF_CHECK(newer);
  newer = false;
  CAF_CHECK_NOT_EQUAL(failure<old_shape>("\x01", &newer), "");
  CAF_CHECK(!newer);
}

CAF_TEST(each alternative of a variant comes back) {
  auto first = read<either>(troupe::write_msgpack(either{"text"}));
  CAF_CHECK_EQUAL(std::get<std::string>(first), "text");
  auto second = read<either>(troupe::write_msgpack(either{old_shape{"box"}}));
  CAF_CHECK_EQUAL(std::get<old_shape>(second).name, "box");
}

CAF_TEST(wrong types and numbers out of range are refused) {
  CAF_CHECK_NOT_EQUAL(failure<std::uint8_t>(troupe::write_msgpack(256)), "");
  CAF_CHECK_NOT_EQUAL(failure<std::uint32_t>(troupe::write_msgpack(-1)), "");
  CAF_CHECK_NOT_EQUAL(failure<std::string>(troupe::write_msgpack(1)), "");
  CAF_CHECK_NOT_EQUAL(failure<std::vector<int>>(troupe::write_msgpack(1)), "");
}

CAF_TEST(trailing bytes are refused) {
  CAF_CHECK_EQUAL(failure<int>(troupe::write_msgpack(1) + '\0'),
                  "trailing bytes");
}

CAF_TEST(a forged count reserves no memory) {
  using namespace std::string_view_literals;
  CAF_CHECK_NOT_EQUAL(failure<std::vector<int>>("\xdd\x7f\xff\xff\xff"sv), "");
  CAF_CHECK_NOT_EQUAL(failure<std::string>("\xdb\x7f\xff\xff\xff"sv), "");
  CAF_CHECK_NOT_EQUAL((failure<std::map<int, int>>("\xdf\x7f\xff\xff\xff"sv)),
                      "");
}

CAF_TEST(forged counts that fit one by one reserve no memory together) {
  // Ten arrays of 100, one within the other, in 131 bytes.
  std::string bytes;
  for (int depth = 0; depth < 10; ++depth)
    bytes += std::string{"\xdc\x00\x64", 3};
  bytes += std::string(101, '\x01');
  CAF_CHECK_EQUAL(failure<std::vector<int>>(bytes), "more elements than bytes");
  // As many as there are bytes may well be there.
  CAF_CHECK_EQUAL(failure<std::vector<int>>(std::string{"\xdc\x00\x64", 3}
                                            + std::string(100, '\x01')),
                  "");
}

CAF_TEST(deep nesting is refused) {
  CAF_CHECK_NOT_EQUAL(
    failure<std::vector<int>>(std::string(100'000, '\x91') + '\x01'), "");
}

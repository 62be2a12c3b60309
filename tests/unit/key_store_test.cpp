#define CAF_SUITE key_store

#include "tests/support/precompiled.hpp"

#include "discovery/catalog/key_store.hpp"
#include "messages/msgpack.hpp"

using namespace troupe;

namespace {

struct fixture {
  key_store keys;
  std::uint64_t version = 0;

  errc put(const std::string& key, const std::string& value,
           std::int64_t if_version = any_version) {
    return static_cast<errc>(
      keys.put({key, value, if_version}, ++version).code);
  }

  errc append(const std::string& key, const std::string& item) {
    return static_cast<errc>(keys.append({key, item}, ++version).code);
  }

  errc erase(const std::string& key, std::int64_t if_version = any_version) {
    return static_cast<errc>(keys.erase({key, if_version}).code);
  }
};

constexpr errc success{};

} // namespace

CAF_TEST_FIXTURE_SCOPE(key_store_tests, fixture)

CAF_TEST(a key holds the last value and its version) {
  CAF_CHECK(put("a", "1") == success);
  CAF_CHECK(put("a", "2") == success);
  CAF_REQUIRE(keys.find("a"));
  CAF_CHECK_EQUAL(keys.find("a")->items.at(0), "2");
  CAF_CHECK_EQUAL(keys.find("a")->version, 2u);
  CAF_CHECK_EQUAL(keys.put({"a", "3"}, 9).value, "9");
  CAF_CHECK(!keys.find("b"));
}

CAF_TEST(compare and set needs the version) {
  CAF_CHECK(put("a", "1", 5) == errc::conflict);
  CAF_CHECK(put("a", "1", 0) == success);
  CAF_CHECK(put("a", "2", 0) == errc::conflict);
  auto seen = static_cast<std::int64_t>(keys.find("a")->version);
  CAF_CHECK(put("a", "2", seen) == success);
  CAF_CHECK(put("a", "3", seen) == errc::conflict);
  CAF_CHECK_EQUAL(keys.find("a")->items.at(0), "2");
}

CAF_TEST(a key is deleted once and under its condition) {
  CAF_CHECK(erase("a") == errc::not_found);
  put("a", "1");
  CAF_CHECK(erase("a", 7) == errc::conflict);
  CAF_CHECK(erase("a", 1) == success);
  CAF_CHECK(!keys.find("a"));
}

CAF_TEST(an item is in a list once) {
  CAF_CHECK(append("list", "1") == success);
  CAF_CHECK(append("list", "2") == success);
  CAF_CHECK(append("list", "1") == success);
  auto* found = keys.find("list");
  CAF_REQUIRE(found);
  CAF_CHECK(found->is_list);
  CAF_CHECK_EQUAL(found->items.size(), 2u);
  CAF_CHECK_EQUAL(found->version, 2u);
}

CAF_TEST(a value is no list) {
  put("a", "[1]");
  CAF_CHECK(append("a", "2") == errc::conflict);
}

CAF_TEST(limits hold and change nothing) {
  CAF_CHECK(put("", "1") == errc::too_large);
  CAF_CHECK(put(std::string(max_catalog_key_bytes + 1, 'k'), "1")
            == errc::too_large);
  CAF_CHECK(put("a", std::string(max_catalog_value_bytes + 1, 'v'))
            == errc::too_large);
  append("list", std::string(max_catalog_value_bytes / 2, 'a'));
  append("list", std::string(max_catalog_value_bytes / 2, 'b'));
  CAF_CHECK(append("list", "c") == errc::too_large);
  CAF_CHECK_EQUAL(keys.size(), 1u);
  for (auto i = keys.size(); i < max_catalog_keys; ++i)
    put("key-" + std::to_string(i), "1");
  CAF_CHECK(put("one more", "1") == errc::too_large);
  CAF_CHECK(put("key-7", "2") == success);
}

CAF_TEST(all keys and values together have a limit) {
  std::string value(max_catalog_value_bytes - 5, 'v');
  auto name = [](std::size_t i) { return std::to_string(10'000 + i); };
  auto fitting = max_catalog_bytes / max_catalog_value_bytes;
  for (std::size_t i = 0; i < fitting; ++i)
    CAF_REQUIRE(put(name(i), value) == success);
  CAF_CHECK_EQUAL(keys.bytes(), max_catalog_bytes);
  auto refused = keys.put({"k", "", any_version}, 1);
  CAF_CHECK(static_cast<errc>(refused.code) == errc::too_large);
  CAF_CHECK(refused.detail.find("67108864 bytes") != std::string::npos);
  CAF_CHECK(append("list", "1") == errc::too_large);
  // The same size in the same place, or less.
  CAF_CHECK(put(name(3), value) == success);
  CAF_CHECK(put(name(3), "") == success);
  CAF_CHECK(put(name(4), "") == success);
  CAF_CHECK(append("list", "1") == success);
  CAF_CHECK(put(name(3), value.substr(5)) == success);
  CAF_CHECK(put(name(4), value) == success);
  CAF_CHECK(append("list", "2") == errc::too_large);
  CAF_CHECK(append("list", "1") == success);
  CAF_CHECK(erase("list") == success);
  CAF_CHECK_EQUAL(keys.bytes(), max_catalog_bytes - 5);
}

CAF_TEST(a copy and a copy of its bytes hold the same) {
  put("a", "1");
  append("list", "x");
  auto copy = keys;
  put("a", "22");
  append("list", "y");
  CAF_CHECK_EQUAL(copy.find("a")->items.at(0), "1");
  CAF_CHECK_EQUAL(copy.find("list")->items.size(), 1u);
  key_store read;
  CAF_REQUIRE(!read_msgpack(write_msgpack(keys), read));
  CAF_CHECK_EQUAL(read.find("a")->items.at(0), "22");
  CAF_CHECK_EQUAL(read.find("list")->items.size(), 2u);
  CAF_CHECK(read.find("list")->is_list);
  CAF_CHECK_EQUAL(read.bytes(), keys.bytes());
}

CAF_TEST(keys are listed by prefix in order) {
  for (auto key : {"b/2", "a", "b/1", "c"})
    put(key, "1");
  auto found = keys.list({"b/"});
  CAF_REQUIRE_EQUAL(found.keys.size(), 2u);
  CAF_CHECK_EQUAL(found.keys[0].key, "b/1");
  CAF_CHECK_EQUAL(found.keys[1].key, "b/2");
  CAF_CHECK(!found.truncated);
  auto first = keys.list({"", 3});
  CAF_CHECK_EQUAL(first.keys.size(), 3u);
  CAF_CHECK(first.truncated);
}

CAF_TEST_FIXTURE_SCOPE_END()

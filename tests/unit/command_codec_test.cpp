#define CAF_SUITE command_codec

#include "messages/command.hpp"

#include <random>

#include <caf/deep_to_string.hpp>

#include <caf/test/dsl.hpp>

#include "messages/msgpack.hpp"

using namespace troupe;

namespace {

node_info sample_node() {
  return {member_id{0xfedcba9876543210},
          "node-1",
          1'769'860'800'007,
          "0.1.0",
          1,
          {"127.0.0.1", 3006},
          {"::1", 3007},
          {"a.example", 8080},
          {"b.example", 6380},
          4};
}

slot_table sample_table() {
  slot_table result;
  result.epoch = 9;
  result.nodes = {member_id{1}, member_id{2}};
  for (std::uint32_t slot = 0; slot < slot_count; ++slot)
    result.owner.push_back(slot % 2);
  return result;
}

/// One command of each kind.
std::vector<command_body> samples() {
  return {
    create_cluster{"9f7c", "troupe"},
    register_node{sample_node()},
    set_verdict{member_id{3}, 17, verdict::suspect, "no heartbeat",
                member_id{4}},
    forget_node{member_id{5}},
    add_server{"demo", "127.0.0.1", 9001, 1000},
    remove_server{"server-1"},
    set_maintenance{"server-2", true},
    set_health{"server-3", health::unhealthy, std::string("a\0b", 3)},
    assign_slots{sample_table()},
    record_event{{"event-1", "node", "node-1", "started", "info", -1}},
    put_key{"leader", R"({"name": "a"})", 7},
    delete_key{"leader", 8},
    append_to_key{"names", R"("b")"},
    read_barrier{},
    dismiss_node{member_id{6}, "removed"},
    recover_cluster{"9f7d", member_id{7}},
  };
}

command sample(command_body body) {
  return {
    {member_id{7}, 8, UINT64_MAX, 10}, 1'769'860'800'007, std::move(body)};
}

errc failure(std::string_view bytes) {
  auto result = decode_command(bytes);
  if (result)
    CAF_FAIL("decoded: " << caf::deep_to_string(*result));
  return describe(result.error()).code;
}

template <class T>
T round_trip(T x) {
  auto result = decode_command(encode(sample(std::move(x))));
  if (!result)
    CAF_FAIL("not decoded: " << describe(result.error()).detail);
  return std::get<T>(result->body);
}

} // namespace

CAF_TEST(the samples are complete) {
  auto all = samples();
  CAF_REQUIRE_EQUAL(all.size(), std::variant_size_v<command_body>);
  for (std::size_t i = 0; i < all.size(); ++i)
    CAF_CHECK_EQUAL(all[i].index(), i);
}

CAF_TEST(every command survives encoding) {
  for (auto& body : samples()) {
    auto before = sample(body);
    auto bytes = encode(before);
    auto after = decode_command(bytes);
    CAF_REQUIRE(after);
    CAF_CHECK_EQUAL(after->body.index(), body.index());
    CAF_CHECK_EQUAL(encode(*after), bytes);
    CAF_CHECK_EQUAL(after->at, before.at);
    CAF_CHECK(after->id.origin == before.id.origin);
    CAF_CHECK_EQUAL(after->id.incarnation, before.id.incarnation);
    CAF_CHECK_EQUAL(after->id.sequence, before.id.sequence);
    CAF_CHECK_EQUAL(after->id.answered_below, before.id.answered_below);
  }
}

CAF_TEST(no field is left out) {
  auto node = round_trip(register_node{sample_node()}).info;
  CAF_CHECK(node.id == sample_node().id);
  CAF_CHECK_EQUAL(node.name, "node-1");
  CAF_CHECK_EQUAL(node.incarnation, sample_node().incarnation);
  CAF_CHECK_EQUAL(node.version, "0.1.0");
  CAF_CHECK_EQUAL(node.protocol, 1u);
  CAF_CHECK(node.api == sample_node().api);
  CAF_CHECK(node.cluster == sample_node().cluster);
  CAF_CHECK(node.proxy == sample_node().proxy);
  CAF_CHECK(node.resp == sample_node().resp);
  CAF_CHECK_EQUAL(node.io_threads, 4u);
  auto verdict_given = round_trip(std::get<set_verdict>(samples()[2]));
  CAF_CHECK(verdict_given.node == member_id{3});
  CAF_CHECK_EQUAL(verdict_given.incarnation, 17u);
  CAF_CHECK(verdict_given.state == verdict::suspect);
  CAF_CHECK_EQUAL(verdict_given.reason, "no heartbeat");
  CAF_CHECK(verdict_given.reported_by == member_id{4});
  auto added = round_trip(std::get<add_server>(samples()[4]));
  CAF_CHECK_EQUAL(added.service, "demo");
  CAF_CHECK_EQUAL(added.host, "127.0.0.1");
  CAF_CHECK_EQUAL(added.port, 9001u);
  CAF_CHECK_EQUAL(added.weight, 1000u);
  auto checked = round_trip(std::get<set_health>(samples()[7]));
  CAF_CHECK_EQUAL(checked.reason.size(), 3u);
  auto table = round_trip(assign_slots{sample_table()}).table;
  CAF_CHECK_EQUAL(table.epoch, 9u);
  CAF_CHECK(table.nodes == sample_table().nodes);
  CAF_CHECK(table.owner == sample_table().owner);
  auto happened = round_trip(std::get<record_event>(samples()[9])).what;
  CAF_CHECK_EQUAL(happened.id, "event-1");
  CAF_CHECK_EQUAL(happened.type, "node");
  CAF_CHECK_EQUAL(happened.service, "node-1");
  CAF_CHECK_EQUAL(happened.message, "started");
  CAF_CHECK_EQUAL(happened.level, "info");
  CAF_CHECK_EQUAL(happened.at, -1);
}

CAF_TEST(a truncated command is corrupt at every length) {
  for (auto& body : samples()) {
    // The slot table's 16 KB are cut at their start and end only.
    auto bytes = encode(sample(body));
    for (std::size_t n = 0; n < bytes.size(); ++n)
      if (n < 500 || n + 500 > bytes.size())
        CAF_REQUIRE(failure(std::string_view{bytes}.substr(0, n))
                    == errc::corrupt);
  }
}

CAF_TEST(trailing bytes are corrupt) {
  for (auto& body : samples())
    CAF_CHECK(failure(encode(sample(body)) + '\x01') == errc::corrupt);
}

CAF_TEST(random bytes never decode to anything but a command) {
  std::mt19937 random{20240101};
  std::size_t decoded = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(1 + random() % 64, '\0');
    for (auto& byte : bytes)
      byte = static_cast<char>(random());
    bytes.front() = 1;
    if (auto result = decode_command(bytes)) {
      ++decoded;
      CAF_REQUIRE(decode_command(encode(*result)));
    } else {
      auto code = describe(result.error()).code;
      CAF_REQUIRE(code == errc::corrupt || code == errc::incompatible);
    }
  }
  CAF_MESSAGE("of 20000 random texts " << decoded << " are a command");
}

CAF_TEST(a command with flipped bits is refused or still a command) {
  std::mt19937 random{7};
  auto all = samples();
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = encode(sample(all[random() % 8]));
    bytes[1 + random() % (bytes.size() - 1)] ^= 1 << random() % 8;
    if (auto result = decode_command(bytes))
      CAF_REQUIRE(decode_command(encode(*result)));
    else
      CAF_REQUIRE(describe(result.error()).code != errc::internal);
  }
}

CAF_TEST(another version of the encoding is incompatible) {
  auto bytes = encode(sample(forget_node{}));
  for (auto version : {0, 2, 127, 255}) {
    bytes.front() = static_cast<char>(version);
    CAF_CHECK(failure(bytes) == errc::incompatible);
  }
}

CAF_TEST(a command that a newer version added is incompatible) {
  msgpack::sbuffer buffer;
  msgpack::packer packer{buffer};
  packer.pack_array(3);
  packer.pack(std::vector<int>{1, 1, 1, 1});
  packer.pack(0);
  packer.pack_array(2);
  packer.pack(std::variant_size_v<command_body>);
  packer.pack(std::vector<int>{});
  CAF_CHECK(failure('\x01' + std::string{buffer.data(), buffer.size()})
            == errc::incompatible);
}

CAF_TEST(fields that a newer version added are incompatible) {
  msgpack::sbuffer buffer;
  msgpack::packer packer{buffer};
  packer.pack_array(3);
  packer.pack(std::vector<int>{1, 1, 1, 1});
  packer.pack(0);
  packer.pack_array(2);
  packer.pack(3);
  packer.pack(std::vector<int>{5, 6});
  CAF_CHECK(failure('\x01' + std::string{buffer.data(), buffer.size()})
            == errc::incompatible);
}

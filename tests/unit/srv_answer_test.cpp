#define CAF_SUITE srv_answer

#include "discovery/peer_source/srv_answer.hpp"

#include <random>

#include <caf/test/unit_test.hpp>

#include "messages/error.hpp"

using namespace troupe;

namespace {

using bytes = std::vector<std::uint8_t>;

/// Builds a name server's answer (RFC 1035 §4).
struct answer_builder {
  bytes result;

  answer_builder& number(unsigned x) {
    result.push_back(static_cast<std::uint8_t>(x >> 8));
    result.push_back(static_cast<std::uint8_t>(x));
    return *this;
  }

  answer_builder& name(std::string_view dotted) {
    while (!dotted.empty()) {
      auto label = dotted.substr(0, dotted.find('.'));
      result.push_back(static_cast<std::uint8_t>(label.size()));
      result.insert(result.end(), label.begin(), label.end());
      dotted.remove_prefix(std::min(label.size() + 1, dotted.size()));
    }
    result.push_back(0);
    return *this;
  }

  /// Header and question.
  explicit answer_builder(unsigned records) {
    number(1).number(0x8180).number(1).number(records).number(0).number(0);
    name("_troupe._tcp.example.org").number(33).number(1);
  }

  /// A record for the name of the question, which begins at byte 12.
  answer_builder& srv(unsigned priority, unsigned weight, unsigned port,
                      std::string_view target) {
    number(0xc00c).number(33).number(1).number(0).number(30);
    number(static_cast<unsigned>(6 + (target.empty() ? 1 : target.size() + 2)));
    return number(priority).number(weight).number(port).name(target);
  }
};

std::string summary(const bytes& answer) {
  auto targets = parse_srv_answer(answer);
  if (!targets)
    return "malformed";
  std::string result;
  for (auto& x : *targets)
    result += x.host + ":" + std::to_string(x.port) + " ";
  return result;
}

bytes three_records() {
  return answer_builder{3}
    .srv(20, 1, 3007, "last.example.org")
    .srv(10, 1, 3008, "light.example.org")
    .srv(10, 5, 3009, "heavy.example.org")
    .result;
}

} // namespace

CAF_TEST(the lowest priority value comes first and then the greatest weight) {
  CAF_CHECK_EQUAL(summary(three_records()),
                  "heavy.example.org:3009 light.example.org:3008 "
                  "last.example.org:3007 ");
}

CAF_TEST(a record that says there is no service is left out) {
  auto answer = answer_builder{3}
                  .srv(1, 1, 0, "a.example.org")
                  .srv(1, 1, 3007, "")
                  .srv(2, 1, 3007, "b.example.org")
                  .result;
  CAF_CHECK_EQUAL(summary(answer), "b.example.org:3007 ");
}

CAF_TEST(an answer without records has no targets) {
  CAF_CHECK_EQUAL(summary(answer_builder{0}.result), "");
}

CAF_TEST(records of other types are passed over) {
  answer_builder answer{2};
  answer.number(0xc00c).number(16).number(1).number(0).number(30).number(3);
  answer.result.insert(answer.result.end(), {2, 'h', 'i'});
  answer.srv(1, 1, 3007, "a.example.org");
  CAF_CHECK_EQUAL(summary(answer.result), "a.example.org:3007 ");
}

CAF_TEST(every truncation is malformed) {
  auto whole = three_records();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read beyond its end.
    bytes part(whole.begin(), whole.begin() + static_cast<long>(size));
    CAF_CHECK_EQUAL(summary(part), "malformed");
  }
}

CAF_TEST(names that point at themselves or beyond the end are malformed) {
  auto loop = answer_builder{1};
  loop.number(0xc00c).number(33).number(1).number(0).number(30).number(8);
  loop.number(1).number(1).number(3007);
  auto own = static_cast<unsigned>(loop.result.size());
  loop.number(0xc000 | own);
  CAF_CHECK_EQUAL(summary(loop.result), "malformed");
  auto beyond = loop.result;
  beyond.back() = 0xff;
  CAF_CHECK_EQUAL(summary(beyond), "malformed");
}

CAF_TEST(more records announced than sent are malformed) {
  auto answer = three_records();
  answer[6] = 0xff;
  answer[7] = 0xff;
  CAF_CHECK_EQUAL(summary(answer), "malformed");
}

CAF_TEST(changed bytes never crash it) {
  std::mt19937 random{1};
  for (int round = 0; round < 20'000; ++round) {
    auto answer = three_records();
    for (auto changes = random() % 8 + 1; changes > 0; --changes)
      answer[random() % answer.size()] = static_cast<std::uint8_t>(random());
    answer.resize(answer.size() - random() % 4);
    summary(answer);
  }
}

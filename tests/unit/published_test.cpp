#define CAF_SUITE published

#include "messages/published.hpp"

#include <thread>

#include <caf/test/dsl.hpp>

using namespace troupe;

CAF_TEST(a reader sees the value that was set last) {
  auto value = std::make_shared<published<int>>(1);
  published_reader<int> reader{value};
  CAF_CHECK_EQUAL(reader.get(), 1);
  value->set(2);
  value->set(3);
  CAF_CHECK_EQUAL(reader.get(), 3);
  CAF_CHECK_EQUAL(*value->get(), 3);
}

CAF_TEST(a reader keeps its snapshot while nothing changed) {
  auto value = std::make_shared<published<int>>(1);
  published_reader<int> reader{value};
  auto* first = &reader.get();
  CAF_CHECK(first == &reader.get());
  auto kept = reader.share();
  value->set(2);
  CAF_CHECK(first != &reader.get());
  CAF_CHECK_EQUAL(*kept, 1);
}

CAF_TEST(the version grows with each set) {
  published<int> value;
  auto before = value.version();
  value.set(0);
  CAF_CHECK_GREATER(value.version(), before);
}

CAF_TEST(readers on other threads never see an older value again) {
  auto value = std::make_shared<published<int>>(0);
  constexpr int last = 20'000;
  std::atomic<bool> ordered{true};
  auto read = [&] {
    published_reader<int> reader{value};
    for (int seen = 0; seen < last;) {
      auto now = reader.get();
      if (now < seen)
        ordered = false;
      seen = std::max(seen, now);
    }
  };
  std::thread first{read};
  std::thread second{read};
  for (int i = 1; i <= last; ++i)
    value->set(i);
  first.join();
  second.join();
  CAF_CHECK(ordered);
}

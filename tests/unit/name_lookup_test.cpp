#define CAF_SUITE name_lookup

#include "discovery/transport/name_lookup.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include <caf/test/unit_test.hpp>

#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

/// Whether `resolve` hangs when it is asked for a name that does.
std::atomic<bool> hanging;

name_lookup::addresses resolve(const std::string& host) {
  if (host.starts_with("hangs"))
    hanging.wait(true);
  if (host == "nowhere")
    return make_error(errc::unavailable, "Host not found");
  return std::vector{asio::ip::make_address("192.0.2.1")};
}

struct fixture {
  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> work{
    context.get_executor()};
  name_lookup names{context, resolve};
  std::vector<std::string> heard;

  fixture() { hanging = true; }

  ~fixture() { release(); }

  static void release() {
    hanging = false;
    hanging.notify_all();
  }

  void look_up(const std::string& host) {
    names.start(host, [this, host](const name_lookup::addresses& found) {
      heard.push_back(
        host + ": "
        + (found ? found->at(0).to_string() : describe(found.error()).detail));
    });
  }

  void hear(std::size_t count) {
    while (heard.size() < count)
      CAF_REQUIRE(context.run_one_for(10s) > 0);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(name_lookup_tests, fixture)

CAF_TEST(a name that hangs holds up no other) {
  look_up("hangs");
  look_up("there");
  hear(1);
  CAF_CHECK_EQUAL(heard[0], "there: 192.0.2.1");
  look_up("nowhere");
  hear(2);
  CAF_CHECK_EQUAL(heard[1], "nowhere: Host not found");
  release();
  hear(3);
  CAF_CHECK_EQUAL(heard[2], "hangs: 192.0.2.1");
}

CAF_TEST(a name is looked up once for all who ask meanwhile) {
  for (std::size_t i = 0; i < 2 * name_lookup::max_names; ++i)
    look_up("hangs");
  look_up("there");
  hear(1);
  CAF_CHECK_EQUAL(heard[0], "there: 192.0.2.1");
  release();
  hear(1 + 2 * name_lookup::max_names);
  CAF_CHECK_EQUAL(heard.back(), "hangs: 192.0.2.1");
}

CAF_TEST(names that hang have a limit) {
  for (std::size_t i = 0; i < name_lookup::max_names; ++i)
    look_up("hangs-" + std::to_string(i));
  look_up("there");
  CAF_CHECK(heard.empty());
  hear(1);
  CAF_CHECK_EQUAL(heard[0], "there: 64 other names are being looked up");
  release();
  hear(1 + name_lookup::max_names);
  look_up("there");
  hear(2 + name_lookup::max_names);
  CAF_CHECK_EQUAL(heard.back(), "there: 192.0.2.1");
}

CAF_TEST(nobody waits for a name that hangs) {
  asio::io_context other;
  {
    name_lookup leaving{other, resolve};
    leaving.start("hangs", [](const name_lookup::addresses&) {
      CAF_FAIL("who asked is gone");
    });
  }
  release();
  look_up("there");
  hear(1);
  other.run_for(0s);
}

CAF_TEST(the system is asked) {
  name_lookup system{context};
  // Not a name: a minimal system knows none.
  system.start("192.0.2.7", [this](const name_lookup::addresses& found) {
    CAF_REQUIRE(found);
    for (auto& address : *found)
      heard.push_back(address.to_string());
  });
  hear(1);
  CAF_CHECK_EQUAL(heard, std::vector<std::string>{"192.0.2.7"});
}

CAF_TEST_FIXTURE_SCOPE_END()

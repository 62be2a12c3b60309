#define CAF_SUITE io_thread

#include "http/server/io_thread.hpp"

#include <atomic>
#include <future>

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include "messages/type_ids.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

struct fixture {
  config system_config;
  caf::actor_system system{system_config};
  io_thread io{system, 0};
  std::atomic<bool> loop_had_a_turn{false};
  std::atomic<std::uint64_t> handled{0};
  std::promise<void> done;

  ~fixture() { io.stop(); }

  /// An actor that gives itself work until the loop had a turn, or for ever as
  /// a test counts.
  caf::actor never_idle(std::uint64_t limit) {
    return system.spawn<caf::lazy_init>(
      [this, limit](caf::event_based_actor* self) -> caf::behavior {
        return {[this, limit, self](tick) {
          if (++handled < limit && !loop_had_a_turn)
            self->send(self, tick{});
          else
            done.set_value();
        }};
      });
  }

  void send_from_io(const caf::actor& whom) {
    io.post([this, whom] {
      caf::actor_cast<caf::strong_actor_ptr>(whom)->enqueue(
        nullptr, caf::make_message_id(), caf::make_message(tick{}), &io);
      io.drain();
    });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(io_thread_tests, fixture)

CAF_TEST(an actor that always has more to do leaves turns to the loop) {
  constexpr std::uint64_t limit = 1'000'000;
  send_from_io(never_idle(limit));
  io.post([this] { loop_had_a_turn = true; });
  io.start();
  done.get_future().get();
  CAF_CHECK(loop_had_a_turn);
  CAF_CHECK_LESS(handled.load(), limit);
}

CAF_TEST(a thread that is stopped ends what its actors have to do) {
  constexpr std::uint64_t limit = 1'000'000;
  send_from_io(never_idle(limit));
  io.post([this] { io.context().stop(); });
  io.start();
  done.get_future().get();
  CAF_CHECK_EQUAL(handled.load(), limit);
}

CAF_TEST_FIXTURE_SCOPE_END()

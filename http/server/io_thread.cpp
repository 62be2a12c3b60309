#include "http/server/io_thread.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include <caf/actor_system.hpp>

#include <pthread.h>

namespace troupe {

namespace {

/// Messages that an actor may handle before others get a turn. A request takes
/// one or two of each actor that it meets.
constexpr std::size_t messages_per_turn = 4;

/// How long actors that always have more to do may keep sockets waiting.
constexpr std::chrono::milliseconds longest_drain{1};

} // namespace

io_thread::io_thread(caf::actor_system& system, std::uint32_t index)
  : caf::execution_unit(&system), work_(context_.get_executor()),
    index_(index) {
}

io_thread::~io_thread() {
  stop();
}

void io_thread::start() {
  thread_ = std::thread{[this] {
    auto name = "io/" + std::to_string(index_);
    pthread_setname_np(pthread_self(), name.c_str());
    system().thread_started();
    context_.run();
    while (!ready_.empty())
      drain();
    system().thread_terminates();
  }};
}

void io_thread::stop() {
  work_.reset();
  context_.stop();
  if (thread_.joinable())
    thread_.join();
}

bool io_thread::is_current() const noexcept {
  return thread_.get_id() == std::this_thread::get_id();
}

void io_thread::post(std::function<void()> task) {
  boost::asio::post(context_, std::move(task));
}

void io_thread::exec_later(caf::resumable* job) {
  ready_.push_back(job);
}

void io_thread::drain() {
  if (draining_)
    return;
  draining_ = true;
  run_ready();
  draining_ = false;
}

/// Goes on after what the loop has to do.
void io_thread::yield() {
  if (std::exchange(yielded_, true))
    return;
  post([this] {
    yielded_ = false;
    drain();
  });
}

void io_thread::run_ready() {
  using clock = std::chrono::steady_clock;
  // Read only when it matters: most requests end within one turn of each actor.
  clock::time_point busy_since{};
  while (!ready_.empty()) {
    auto* job = ready_.front();
    ready_.pop_front();
    // As CAF's own worker does (caf/scheduler/worker.hpp).
    switch (job->resume(this, messages_per_turn)) {
      case caf::resumable::resume_later:
        ready_.push_back(job);
        if (busy_since == clock::time_point{})
          busy_since = clock::now();
        else if (clock::now() - busy_since >= longest_drain)
          return yield();
        break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        job->intrusive_ptr_release_impl();
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
    }
  }
}

} // namespace troupe

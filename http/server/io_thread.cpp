#include "http/server/io_thread.hpp"

#include <limits>

#include <boost/asio/post.hpp>

#include <caf/actor_system.hpp>

#include <pthread.h>

namespace troupe {

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
  while (!ready_.empty()) {
    auto* job = ready_.front();
    ready_.pop_front();
    // As CAF's own worker does (caf/scheduler/worker.hpp).
    switch (job->resume(this, std::numeric_limits<std::size_t>::max())) {
      case caf::resumable::resume_later:
        ready_.push_back(job);
        break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        job->intrusive_ptr_release_impl();
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
    }
  }
  draining_ = false;
}

} // namespace troupe

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

namespace troupe {

/// A thread with an Asio loop that is a CAF execution unit too: a message that
/// its code sends to an idle actor runs that actor here, without a thread hop
/// (docs/decisions/0004). All its members but `start`, `stop` and `post` are
/// for the thread itself.
class io_thread final : public caf::execution_unit {
public:
  io_thread(caf::actor_system& system, std::uint32_t index);

  /// Stops and joins.
  ~io_thread() override;

  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  void start();
  void stop();

  std::uint32_t index() const noexcept { return index_; }

  boost::asio::io_context& context() noexcept { return context_; }

  /// Whether the caller is this thread.
  bool is_current() const noexcept;

  /// Runs `task` on this thread, later. From any thread.
  void post(std::function<void()> task);

  /// Runs the actors that got messages from this thread. Call it after sending,
  /// before going back to the loop. Does nothing when called from within. Where
  /// messages keep coming, the loop gets its turn in between.
  void drain();

  /// Called by CAF when this thread's code sends to an idle actor.
  void exec_later(caf::resumable* job) override;

private:
  void run_ready();
  void yield();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    work_;
  std::uint32_t index_;
  std::deque<caf::resumable*> ready_;
  bool draining_ = false;
  bool yielded_ = false;
  std::thread thread_;
};

} // namespace troupe

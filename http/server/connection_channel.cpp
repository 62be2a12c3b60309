#include "http/server/connection.hpp"

namespace troupe {

// On the connection's own thread nobody else can end it meanwhile. From other
// threads the lock keeps the io thread alive until the answer is posted.

void connection_channel::deliver(std::uint64_t sequence, http_response answer) {
  if (std::this_thread::get_id() == owner_) {
    if (target_ != nullptr)
      target_->answer(sequence, answer);
    return;
  }
  std::lock_guard guard{mutex_};
  if (target_ != nullptr)
    io_->post([self = caf::intrusive_ptr<connection_channel>{this}, sequence,
               answer = std::move(answer)] {
      if (self->target_ != nullptr)
        self->target_->answer(sequence, answer);
    });
}

void connection_channel::abandon(std::uint64_t sequence) {
  // Posted even from the own thread: it happens inside of destructors.
  std::lock_guard guard{mutex_};
  if (target_ != nullptr)
    io_->post([self = caf::intrusive_ptr<connection_channel>{this}, sequence] {
      if (self->target_ != nullptr)
        self->target_->abandoned(sequence);
    });
}

void connection_channel::detach() {
  std::lock_guard guard{mutex_};
  target_ = nullptr;
}

} // namespace troupe

#include "http/server/server_group.hpp"

#include <algorithm>

#include "messages/error.hpp"

namespace troupe {

http_server_group::http_server_group(std::vector<io_thread*> threads,
                                     const server_config& config,
                                     const handlers_factory& make_handlers)
  : budget_(std::make_shared<connection_budget>(config.max_connections)),
    bodies_(std::make_shared<body_budget>(config.max_body_bytes_in_flight)),
    threads_(std::move(threads)) {
  auto answers = config.max_answer_bytes_in_flight
                 / std::max<std::size_t>(threads_.size(), 1);
  for (auto* thread : threads_)
    servers_.push_back(std::make_shared<http_server>(
      *thread, config, make_handlers(*thread), budget_, bodies_, answers));
}

http_server_group::~http_server_group() {
  close();
}

caf::error http_server_group::start(const listening_port& port) {
  for (auto& server : servers_)
    if (auto failure = server->open(port))
      return make_error(errc::unavailable, "can't accept on "
                                             + to_string(port.local()) + ": "
                                             + failure.message());
  on_each_thread(&http_server::start_accepting);
  return caf::none;
}

/// Bounded, for io threads that were never started or end meanwhile.
static void wait_for(const std::vector<std::future<void>>& threads) {
  for (auto& finished : threads)
    finished.wait_for(std::chrono::seconds{1});
}

std::vector<std::future<void>>
http_server_group::on_each_thread(void (http_server::*action)()) {
  std::vector<std::future<void>> results;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    auto finished = std::make_shared<std::promise<void>>();
    results.push_back(finished->get_future());
    auto task = [server = servers_[i], action, finished] {
      (server.get()->*action)();
      finished->set_value();
    };
    if (threads_[i]->context().stopped())
      task(); // Its thread has ended: nobody else is at it.
    else
      threads_[i]->post(task);
  }
  return results;
}

void http_server_group::stop_accepting() {
  // On all threads first: whom one of them sends away would come back through
  // another one, just when that closes its socket.
  wait_for(on_each_thread(&http_server::stop_accepting));
  // Posted, so after what has been read already: Asio reads ahead of its
  // callbacks.
  on_each_thread(&http_server::drain);
}

bool http_server_group::drain(std::chrono::milliseconds limit) {
  stop_accepting();
  auto drained = budget_->wait_for_none(limit);
  close();
  return drained;
}

void http_server_group::close() {
  wait_for(on_each_thread(&http_server::close));
}

http_totals http_server_group::totals() const {
  http_totals result;
  for (auto& server : servers_) {
    auto& from = server->counters();
    result.accepted += from.accepted;
    result.refused += from.refused;
    result.timeouts += from.timeouts;
    result.slow_readers += from.slow_readers;
    result.answer_bytes += server->answer_bytes();
    result.handling_us += from.handling_us;
    for (std::size_t i = 0; i < std::size(result.answers); ++i)
      result.answers[i] += from.answers[i];
  }
  result.open = budget_->open();
  result.body_bytes = bodies_->in_flight();
  return result;
}

} // namespace troupe

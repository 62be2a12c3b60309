#include "http/server/server.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "http/server/connection.hpp"

namespace troupe {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Refused clients that may linger at once; others are closed the hard way.
constexpr std::uint32_t max_refused_open = 64;

/// Looking for slow readers walks over all connections, and it is clients that
/// cause it: at most so often.
constexpr std::chrono::milliseconds slow_readers_pause{50};

} // namespace

caf::error server_config::validate() const {
  if (max_header_bytes < 1024 || max_header_bytes > (1 << 20))
    return make_error(errc::invalid_field, "must be from 1024 to 1048576",
                      "maxHeaderBytes");
  if (max_connections == 0)
    return make_error(errc::invalid_field, "must be at least 1",
                      "maxConnections");
  if (min_read_rate == 0)
    return make_error(errc::invalid_field, "must be at least 1", "minReadRate");
  for (auto limit : {header_timeout, body_timeout, idle_timeout, write_timeout,
                     request_deadline, linger_timeout, sweep_interval,
                     idle_grace, slow_reader_grace})
    if (limit.count() <= 0)
      return make_error(errc::invalid_field, "must be above 0 ms", "timeouts");
  return caf::none;
}

bool connection_budget::take() {
  if (open_.fetch_add(1) < limit_)
    return true;
  give_back();
  return false;
}

void connection_budget::give_back() {
  if (open_.fetch_sub(1) == 1) {
    std::lock_guard guard{mutex_};
    none_open_.notify_all();
  }
}

bool connection_budget::wait_for_none(std::chrono::milliseconds limit) {
  std::unique_lock guard{mutex_};
  return none_open_.wait_for(guard, limit, [this] { return open_ == 0; });
}

http_server::http_server(io_thread& io, const server_config& config,
                         server_handlers handlers,
                         std::shared_ptr<connection_budget> budget,
                         std::shared_ptr<body_budget> bodies,
                         std::uint64_t max_answer_bytes)
  : io_(io), config_(config), handlers_(std::move(handlers)),
    budget_(std::move(budget)), bodies_(std::move(bodies)),
    answers_(max_answer_bytes), acceptor_(io.context()),
    sweep_timer_(io.context()), accept_timer_(io.context()) {
}

http_server::~http_server() = default;

error_code http_server::open(const listening_port& port) {
  return port.give_to(acceptor_, io_.index());
}

void http_server::start_accepting() {
  accept_next();
}

void http_server::accept_next() {
  if (!acceptor_.is_open())
    return;
  acceptor_.async_accept(
    [self = shared_from_this()](const error_code& failure, tcp::socket peer) {
      if (failure == boost::asio::error::operation_aborted)
        return;
      if (failure && failure != boost::asio::error::connection_aborted)
        return self->retry_accept_later(failure);
      if (!failure) {
        self->backoff_.succeeded();
        self->admit(std::move(peer));
      }
      self->accept_next();
    });
}

void http_server::retry_accept_later(const error_code& why) {
  accept_timer_.expires_after(
    backoff_.failed("API", why, accept_backoff::clock::now()));
  accept_timer_.async_wait(
    [self = shared_from_this()](const error_code& failure) {
      if (!failure)
        self->accept_next();
    });
}

void http_server::admit(tcp::socket socket) {
  auto counted = budget_->take();
  if (!counted) {
    ++counters_.refused;
    if (refused_open_ >= max_refused_open)
      return;
    ++refused_open_;
  } else {
    ++counters_.accepted;
  }
  auto connection = std::make_shared<http_connection>(
    shared_from_this(), std::move(socket), counted);
  connections_.push_front(connection);
  connection->position_ = connections_.begin();
  arm_sweep();
  if (counted)
    connection->start();
  else
    connection->refuse();
}

void http_server::remove(connection_list::iterator which) {
  if ((*which)->counted_)
    budget_->give_back();
  else
    --refused_open_;
  connections_.erase(which);
}

void http_server::arm_sweep() {
  if (sweeping_)
    return;
  sweeping_ = true;
  sweep_timer_.expires_after(
    draining_ ? std::min(config_.sweep_interval, config_.idle_grace / 4)
              : config_.sweep_interval);
  sweep_timer_.async_wait(
    [self = shared_from_this()](const error_code& failure) {
      self->sweeping_ = false;
      if (!failure)
        self->sweep();
      else if (self->draining_ && !self->connections_.empty())
        self->arm_sweep();
    });
}

void http_server::sweep() {
  auto now = http_connection::clock::now();
  // Acting on one may end others: collect first.
  std::vector<std::shared_ptr<http_connection>> due;
  for (auto& connection : connections_)
    if (now >= connection->deadline_
        || (connection->writing_ && now >= connection->write_deadline_))
      due.push_back(connection);
  for (auto& connection : due)
    connection->check_deadline(now);
  if (!connections_.empty())
    arm_sweep();
}

/// Whether an answer of that size may be kept for its client; for that, slow
/// readers may have to go.
bool http_server::make_room(std::uint64_t answer_bytes) {
  if (answers_.has_room(answer_bytes))
    return true;
  close_slow_readers(http_connection::clock::now());
  return answers_.has_room(answer_bytes);
}

void http_server::close_slow_readers(http_connection::clock::time_point now) {
  if (now < slow_readers_sought_ + slow_readers_pause)
    return;
  slow_readers_sought_ = now;
  std::vector<std::shared_ptr<http_connection>> slow;
  for (auto& connection : connections_)
    if (connection->reads_slowly(now))
      slow.push_back(connection);
  counters_.slow_readers += slow.size();
  for (auto& connection : slow)
    connection->close();
}

void http_server::accept_backlog() {
  error_code failure;
  while (!failure && acceptor_.is_open()) {
    tcp::socket peer{io_.context()};
    acceptor_.accept(peer, failure);
    if (!failure)
      admit(std::move(peer));
  }
}

void http_server::stop_accepting() {
  accept_backlog();
  error_code ignored;
  acceptor_.close(ignored);
  accept_timer_.cancel();
}

void http_server::drain() {
  draining_ = true;
  std::vector all(connections_.begin(), connections_.end());
  for (auto& connection : all)
    connection->drain();
  // Soon, not at the next regular sweep.
  sweep_timer_.cancel();
}

void http_server::close() {
  stop_accepting();
  draining_ = true;
  std::vector all(connections_.begin(), connections_.end());
  for (auto& connection : all)
    connection->close();
  sweep_timer_.cancel();
}

} // namespace troupe

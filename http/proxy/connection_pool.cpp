#include "http/proxy/connection_pool.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::proxying {

connection_pool::~connection_pool() {
  drop_idle(clock::time_point::max());
}

stream_ptr connection_pool::take(bool only_proven) {
  auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](auto& entry) {
    return !only_proven || entry.connection->is_proven();
  });
  if (found == idle_.rend())
    return nullptr;
  auto connection = std::move(found->connection);
  idle_.erase(std::next(found).base());
  connection->observe(nullptr);
  connection->set_proven();
  return connection;
}

void connection_pool::keep(stream_ptr connection, clock::time_point now) {
  if (max_idle_ == 0) {
    connection->close();
    return;
  }
  if (idle_.size() >= max_idle_)
    drop_oldest();
  connection->observe(this);
  // The next request's answer is read by this same read.
  connection->read();
  idle_.push_back({std::move(connection), now});
}

bool connection_pool::drop_oldest() {
  if (idle_.empty())
    return false;
  idle_.front().connection->close();
  idle_.erase(idle_.begin());
  return true;
}

void connection_pool::drop_idle(clock::time_point before) {
  auto fresh = std::find_if(idle_.begin(), idle_.end(),
                            [&](auto& entry) { return entry.since >= before; });
  for (auto i = idle_.begin(); i != fresh; ++i)
    i->connection->close();
  idle_.erase(idle_.begin(), fresh);
}

void connection_pool::on_bytes(stream& from) {
  drop(from);
}

void connection_pool::on_ended(stream& from, boost::system::error_code) {
  drop(from);
}

void connection_pool::drop(stream& which) {
  which.close();
  std::erase_if(idle_,
                [&](auto& entry) { return entry.connection.get() == &which; });
}

} // namespace troupe::proxying

#include "http/proxy/backend.hpp"

#include <algorithm>
#include <utility>

#include "http/client/known_address.hpp"

namespace troupe::proxying {

backend::backend(upstream server, std::size_t max_idle)
  : server_(std::move(server)), max_idle_(max_idle) {
  if (auto known = troupe::known_addresses({server_.host, server_.port});
      !known.empty())
    remember(std::move(known), clock::time_point::max());
}

backend::~backend() {
  drop_idle(clock::time_point::max());
}

stream_ptr backend::take() {
  if (idle_.empty())
    return nullptr;
  auto connection = std::move(idle_.back().connection);
  idle_.pop_back();
  connection->observe(nullptr);
  return connection;
}

void backend::keep(stream_ptr connection, clock::time_point now) {
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

bool backend::drop_oldest() {
  if (idle_.empty())
    return false;
  idle_.front().connection->close();
  idle_.erase(idle_.begin());
  return true;
}

void backend::drop_idle(clock::time_point before) {
  auto fresh = std::find_if(idle_.begin(), idle_.end(),
                            [&](auto& entry) { return entry.since >= before; });
  for (auto i = idle_.begin(); i != fresh; ++i)
    i->connection->close();
  idle_.erase(idle_.begin(), fresh);
}

void backend::on_bytes(stream& from) {
  drop(from);
}

void backend::on_ended(stream& from, boost::system::error_code) {
  drop(from);
}

void backend::drop(stream& which) {
  which.close();
  std::erase_if(idle_,
                [&](auto& entry) { return entry.connection.get() == &which; });
}

const backend::addresses*
backend::known_addresses(clock::time_point now) const {
  return now < addresses_until_ ? &addresses_ : nullptr;
}

void backend::remember(addresses found, clock::time_point until) {
  addresses_ = std::move(found);
  addresses_until_ = until;
}

} // namespace troupe::proxying

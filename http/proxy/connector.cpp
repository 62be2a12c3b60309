#include "http/proxy/connector.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace troupe::proxying {

namespace {

/// How long a resolved name is used before it is asked again.
constexpr std::chrono::seconds address_lifetime{5};

} // namespace

std::shared_ptr<connector> connector::start(boost::asio::io_context& loop,
                                            std::shared_ptr<backend> target,
                                            descriptor_share descriptor,
                                            callback done) {
  auto self = std::make_shared<connector>(
    loop, std::move(target), std::move(descriptor), std::move(done));
  if (auto* known = self->target_->known_addresses(backend::clock::now())) {
    self->left_ = *known;
    self->try_next(boost::asio::error::host_not_found);
  } else {
    self->resolve();
  }
  return self;
}

connector::connector(boost::asio::io_context& loop,
                     std::shared_ptr<backend> target,
                     descriptor_share descriptor, callback done)
  : loop_(loop), target_(std::move(target)), done_(std::move(done)),
    descriptor_(std::move(descriptor)), socket_(loop.get_executor()) {
}

void connector::cancel() {
  done_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
  if (resolver_)
    resolver_->cancel();
  descriptor_.release();
}

void connector::resolve() {
  resolver_ = std::make_unique<tcp::resolver>(loop_);
  auto& server = target_->server();
  resolver_->async_resolve(
    server.host, std::to_string(server.port),
    [self = shared_from_this()](error_code failure,
                                const tcp::resolver::results_type& found) {
      if (!self->done_)
        return;
      for (auto& entry : found)
        self->left_.push_back(entry.endpoint());
      if (!failure)
        self->target_->remember(self->left_,
                                backend::clock::now() + address_lifetime);
      self->try_next(failure);
    });
}

void connector::try_next(error_code last_failure) {
  if (left_.empty()) {
    // Later, so that `start` has returned before its callback comes.
    boost::asio::post(loop_, [self = shared_from_this(), last_failure] {
      self->finish(last_failure);
    });
    return;
  }
  auto address = left_.front();
  left_.erase(left_.begin());
  error_code ignored;
  socket_.close(ignored);
  socket_.async_connect(address,
                        [self = shared_from_this()](error_code failure) {
                          if (!self->done_)
                            return;
                          if (failure)
                            self->failures_.add(failure);
                          if (failure && !self->left_.empty())
                            self->try_next(failure);
                          else if (failure)
                            self->finish(self->failures_.verdict());
                          else
                            self->finish(failure);
                        });
}

void connector::finish(error_code failure) {
  if (auto done = std::exchange(done_, nullptr))
    done(failure, std::move(socket_), std::move(descriptor_));
}

} // namespace troupe::proxying

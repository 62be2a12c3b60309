#include "discovery/transport/name_lookup.hpp"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <pthread.h>

#include "messages/error.hpp"

namespace troupe {

namespace asio = boost::asio;

/// How a thread brings its answer, unless the asker is gone.
struct name_lookup::way_back : std::enable_shared_from_this<way_back> {
  std::mutex mutex;
  /// Null once it is; changes on the context's thread.
  name_lookup* asker = nullptr;

  void bring(const std::string& host, addresses found) {
    std::lock_guard guard{mutex};
    if (asker != nullptr)
      asio::post(asker->context_,
                 [self = shared_from_this(), host, found = std::move(found)] {
                   if (self->asker != nullptr)
                     self->asker->finish(host, found);
                 });
  }
};

name_lookup::name_lookup(asio::io_context& context, resolver resolve)
  : context_(context), resolve_(resolve),
    way_back_(std::make_shared<way_back>()) {
  way_back_->asker = this;
}

name_lookup::~name_lookup() {
  std::lock_guard guard{way_back_->mutex};
  way_back_->asker = nullptr;
}

void name_lookup::start(const std::string& host, handler done) {
  if (auto i = waiting_.find(host); i != waiting_.end()) {
    i->second.push_back(std::move(done));
    return;
  }
  auto refuse = [&](const std::string& why) {
    asio::post(context_,
               [done, why] { done(make_error(errc::overloaded, why)); });
  };
  if (waiting_.size() >= max_names)
    return refuse(std::to_string(max_names)
                  + " other names are being looked up");
  try {
    // Nobody can end it before the resolver gives up, so nobody waits for it.
    std::thread{[host, resolve = resolve_, back = way_back_] {
      pthread_setname_np(pthread_self(), "cluster/lookup");
      back->bring(host, resolve(host));
    }}.detach();
  } catch (const std::system_error& problem) {
    return refuse(std::string{"no thread to look it up: "} + problem.what());
  }
  waiting_[host].push_back(std::move(done));
}

void name_lookup::finish(const std::string& host, const addresses& found) {
  auto waiting = waiting_.extract(host);
  for (auto& done : waiting.mapped())
    done(found);
}

name_lookup::addresses name_lookup::ask_system(const std::string& host) {
  asio::io_context context{1};
  asio::ip::tcp::resolver resolver{context};
  boost::system::error_code problem;
  auto found = resolver.resolve(host, "", problem);
  if (problem)
    return make_error(errc::unavailable, problem.message());
  std::vector<asio::ip::address> result;
  for (auto& entry : found)
    result.push_back(entry.endpoint().address());
  return result;
}

} // namespace troupe

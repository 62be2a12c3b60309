#include "http/proxy/proxy.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <caf/make_message.hpp>
#include <caf/message_id.hpp>

#include "http/proxy/context.hpp"
#include "http/proxy/session.hpp"
#include "http/server/accept_backoff.hpp"
#include "messages/error.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

using boost::system::error_code;
using tcp = boost::asio::ip::tcp;
using namespace proxying;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

/// Refused clients that may wait for their answer, per io thread; others are
/// closed the hard way.
constexpr std::uint32_t max_refused_open = 64;

/// How often deadlines are looked at: a quarter of the shortest, but neither
/// so often that it costs nor so seldom that it shows.
milliseconds sweep_interval(const proxy_config& config) {
  auto shortest = std::min(
    {config.connect_timeout, config.client_header_timeout,
     config.response_header_timeout, config.body_idle_timeout,
     config.keep_alive_timeout, config.idle_grace, config.report_interval});
  return std::clamp(shortest / 4, milliseconds{5}, milliseconds{250});
}

} // namespace

class proxy::impl : public std::enable_shared_from_this<impl> {
public:
  impl(io_thread& io, proxy_config config, routing_view routing,
       directory_ptr names)
    : context(io, std::move(config), std::move(routing)),
      interval_(sweep_interval(context.config)), names_(std::move(names)),
      acceptor_(io.context()), timer_(io.context()), pause_(io.context()),
      drain_timer_(io.context()) {}

  caf::error start(const listening_port& port) {
    if (auto failure = port.give_to(acceptor_, context.io.index()))
      return make_error(errc::unavailable, "the proxy can't accept on "
                                             + to_string(port.local()) + ": "
                                             + failure.message());
    accept();
    return caf::none;
  }

  void stop_accepting() {
    accept_backlog();
    error_code ignored;
    acceptor_.close(ignored);
  }

  void drain(milliseconds deadline, std::function<void()> done) {
    context.draining = true;
    drained_ = std::move(done);
    stop_accepting();
    // After what has been read and accepted already: Asio does both ahead of
    // its callbacks.
    boost::asio::post(context.io.context(), [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self)
        return;
      self->for_each_session([](session& one) { one.drain(); });
      self->check_drained();
    });
    drain_timer_.expires_after(deadline);
    drain_timer_.async_wait([weak = weak_from_this()](error_code failure) {
      auto self = weak.lock();
      if (self && !failure)
        self->for_each_session([](session& one) { one.close(); });
      if (self)
        self->check_drained();
    });
    arm_sweep();
  }

  void shut_down() {
    error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    pause_.cancel();
    drain_timer_.cancel();
    for_each_session([](session& one) { one.close(); });
  }

  proxy_context context;

private:
  void accept() {
    acceptor_.async_accept(
      context.io.context(),
      [weak = weak_from_this()](error_code failure, tcp::socket socket) {
        if (auto self = weak.lock())
          self->on_accept(failure, std::move(socket));
      });
  }

  void on_accept(error_code failure, tcp::socket socket) {
    if (!failure) {
      backoff_.succeeded();
      adopt(std::move(socket));
    }
    if (!acceptor_.is_open())
      return;
    if (!failure) {
      accept();
      return;
    }
    pause_.expires_after(backoff_.failed("proxy", failure, clock::now()));
    pause_.async_wait([weak = weak_from_this()](error_code cancelled) {
      if (auto self = weak.lock(); self && !cancelled)
        self->accept();
    });
  }

  /// Connections that clients opened already are not to be reset.
  void accept_backlog() {
    error_code failure;
    while (acceptor_.is_open()) {
      tcp::socket socket{context.io.context()};
      acceptor_.accept(socket, failure);
      if (failure)
        return;
      adopt(std::move(socket));
    }
  }

  void adopt(tcp::socket socket) {
    // Each way out closes the socket.
    descriptor_share descriptor{context.config.descriptors};
    if (!descriptor) {
      refuse_hard(proxy_cause::no_resources);
      return;
    }
    auto admitted = context.admit();
    if (!admitted && context.refused_open >= max_refused_open) {
      refuse_hard(proxy_cause::too_many_connections);
      return;
    }
    error_code failure;
    auto peer = socket.remote_endpoint(failure);
    auto protocol = peer.protocol();
    auto handle = failure ? -1 : socket.release(failure);
    if (failure) {
      if (admitted)
        context.dismiss();
      return;
    }
    auto client = std::make_shared<stream>(
      tcp_socket{context.io.context().get_executor(), protocol, handle},
      std::max(session::max_buffer, context.config.max_header_bytes),
      std::move(descriptor));
    auto one = std::make_shared<session>(context, std::move(client),
                                         peer.address().to_string(), admitted);
    auto position = context.sessions.insert(context.sessions.end(), one);
    if (admitted)
      one->start(position);
    else
      one->refuse(position);
    arm_sweep();
  }

  void refuse_hard(proxy_cause why) {
    context.count_own({0, why}, "closed without an answer");
    arm_sweep();
  }

  template <class Action>
  void for_each_session(Action action) {
    for (auto i = context.sessions.begin(); i != context.sessions.end();) {
      auto one = *i++;
      action(*one);
    }
  }

  /// One timer per io thread, which runs only while there is something to
  /// look at.
  void arm_sweep() {
    if (sweeping_)
      return;
    sweeping_ = true;
    timer_.expires_after(interval_);
    timer_.async_wait([weak = weak_from_this()](error_code failure) {
      if (auto self = weak.lock(); self && !failure)
        self->sweep();
    });
  }

  void sweep() {
    sweeping_ = false;
    auto now = clock::now();
    for_each_session([now](session& one) { one.check_deadline(now); });
    context.drop_idle(context.draining
                        ? clock::time_point::max()
                        : now - context.config.upstream_idle_timeout);
    context.forget_gone();
    if (context.unreported && now - reported_ >= context.config.report_interval)
      report(now);
    check_drained();
    if (!context.sessions.empty() || context.has_idle() || context.unreported)
      arm_sweep();
  }

  void report(clock::time_point now) {
    reported_ = now;
    context.unreported = false;
    auto snapshot = names_->get();
    auto balancer = snapshot->local.find("balancer");
    if (balancer == snapshot->local.end())
      return;
    balancer->second->enqueue(nullptr, caf::make_message_id(),
                              caf::make_message(context.report()), &context.io);
    context.io.drain();
  }

  void check_drained() {
    if (!drained_ || !context.sessions.empty())
      return;
    drain_timer_.cancel();
    auto done = std::move(drained_);
    drained_ = nullptr;
    done();
  }

  milliseconds interval_;
  directory_ptr names_;
  boost::asio::basic_socket_acceptor<tcp,
                                     boost::asio::io_context::executor_type>
    acceptor_;
  accept_backoff backoff_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer drain_timer_;
  bool sweeping_ = false;
  clock::time_point reported_{};
  std::function<void()> drained_;
};

proxy::proxy(io_thread& io, proxy_config config, routing_view routing,
             directory_ptr names)
  : impl_(std::make_shared<impl>(io, std::move(config), std::move(routing),
                                 std::move(names))) {
}

proxy::~proxy() {
  impl_->shut_down();
}

caf::error proxy::start(const listening_port& port) {
  return impl_->start(port);
}

void proxy::stop_accepting() {
  impl_->stop_accepting();
}

void proxy::drain(milliseconds deadline, std::function<void()> done) {
  impl_->drain(deadline, std::move(done));
}

std::size_t proxy::connections() const {
  return impl_->context.sessions.size();
}

caf::error proxy_config::validate() const {
  auto invalid = [](std::string field) {
    return make_error(errc::invalid_field, "must be positive",
                      "proxy." + field);
  };
  if (connect_timeout.count() <= 0)
    return invalid("connectTimeout");
  if (client_header_timeout.count() <= 0)
    return invalid("clientHeaderTimeout");
  if (response_header_timeout.count() <= 0)
    return invalid("responseHeaderTimeout");
  if (body_idle_timeout.count() <= 0)
    return invalid("bodyIdleTimeout");
  if (keep_alive_timeout.count() <= 0)
    return invalid("keepAliveTimeout");
  if (idle_grace.count() <= 0)
    return invalid("idleGrace");
  if (upstream_idle_timeout.count() <= 0)
    return invalid("upstreamIdleTimeout");
  if (tunnel_idle_timeout.count() <= 0)
    return invalid("tunnelIdleTimeout");
  if (report_interval.count() <= 0)
    return invalid("reportInterval");
  if (max_header_bytes == 0)
    return invalid("maxHeaderBytes");
  if (max_attempts == 0)
    return invalid("maxAttempts");
  if (max_connections == 0)
    return invalid("maxConnections");
  return caf::none;
}

} // namespace troupe

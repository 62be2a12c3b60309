#include "node/serve.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include <caf/all.hpp>
#include <caf/io/middleman.hpp>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include "actors/cache_shard/cache_shard.hpp"
#include "discovery/membership/membership.hpp"
#include "http/gateway/body_reader.hpp"
#include "http/gateway/gateway.hpp"
#include "http/gateway/reports.hpp"
#include "http/proxy/proxy.hpp"
#include "messages/error.hpp"
#include "node/actor_system.hpp"
#include "node/client_ports.hpp"
#include "node/descriptors.hpp"
#include "node/logging.hpp"
#include "node/parts.hpp"
#include "node/shutdown_signal.hpp"
#include "node/successor.hpp"
#include "node/wiring.hpp"

namespace troupe {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using order = shutdown_signal::order;

/// Waits for the end of several asynchronous things.
class countdown {
public:
  explicit countdown(std::size_t count) : left_(count) {}

  void arrive() {
    std::lock_guard guard{mutex_};
    if (left_ > 0 && --left_ == 0)
      all_arrived_.notify_all();
  }

  void wait_for(milliseconds limit) {
    std::unique_lock guard{mutex_};
    all_arrived_.wait_for(guard, limit, [this] { return left_ == 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable all_arrived_;
  std::size_t left_;
};

/// How long clients may be kept waiting for a node that starts. One that isn't
/// ready by then listens nevertheless, to say why.
constexpr milliseconds ready_limit{3'000};

/// Until a client that has begun to connect has got through.
constexpr milliseconds handshake_time{50};

/// A node's parts in the order they start; they stop in reverse.
class node {
public:
  node(caf::actor_system& system, const configuration& settings,
       std::shared_ptr<identity> own, shutdown_signal& stop,
       client_ports& ports, const descriptor_plan& descriptors)
    : system_(system), stop_(stop), ports_(ports), descriptors_(descriptors) {
    context_.settings = settings;
    context_.own_identity = std::move(own);
    context_.self = describe_node(settings, context_.own_identity->get());
    context_.started_at = unix_now();
    context_.on_dismissed = [&stop] { stop.request(); };
    for (std::uint32_t i = 0; i < context_.self.io_threads; ++i)
      context_.io_threads.push_back(std::make_unique<io_thread>(system, i));
  }

  caf::error start() {
    if (auto problem = ports_.open(context_.settings, context_.self.io_threads))
      return problem;
    if (auto problem = open_transport())
      return problem;
    for (auto& io : context_.io_threads)
      io->start();
    make_api();
    supervise();
    wait_until(clock::now() + ready_limit, [this] { return is_ready(); });
    if (hurry_)
      return caf::none;
    if (auto problem = ports_.listen())
      return problem;
    if (auto problem = start_proxies())
      return problem;
    if (auto problem = api_->start(*ports_.api))
      return problem;
    auto& self = context_.self;
    spdlog::info("node {} ({}) serves: API {}, proxy {}, cluster {}", self.name,
                 to_string(self.id), to_string(self.api),
                 ports_.proxy ? to_string(self.proxy) : "off",
                 to_string(self.cluster));
    return caf::none;
  }

  /// Leaves the cluster and finishes what is under way, all within one
  /// deadline. Another order to stop ends it at once; returns whether there was
  /// one.
  ///
  /// Whoever is not to come back refuses new clients at once. Before a restart
  /// they are served as long as possible, and then wait for the new process.
  bool drain(order why) {
    auto limit = context_.settings.cluster.graceful_shutdown_timeout;
    auto deadline = clock::now() + limit;
    draining_->store(true);
    auto leave_limit = std::min<milliseconds>(limit, milliseconds{5000});
    auto leave_deadline = clock::now() + leave_limit;
    auto left = leave(leave_limit);
    auto has_left = [&] { return left->load() != departure::under_way; };
    if (why == order::restart)
      wait_until(deadline, has_left);
    else
      stop_listening(ports_.proxy);
    auto proxies = drain_proxies(limit);
    // Until the others know, they still ask this node.
    wait_until(deadline, has_left);
    if (left->load() == departure::accepted)
      wait_until(leave_deadline, [this] { return cached_entries() == 0; });
    if (why != order::restart)
      stop_listening(ports_.api);
    api_->stop_accepting();
    wait_until(deadline, [&] {
      return proxies->load() == 0 && api_->open_connections() == 0;
    });
    return hurry_;
  }

  void stop() {
    if (api_)
      api_->close();
    stop_actors();
    if (context_.port)
      context_.port->close();
    close_proxies();
    api_.reset();
    for (auto& io : context_.io_threads)
      io->stop();
  }

private:
  std::vector<io_thread*> io_threads() {
    std::vector<io_thread*> result;
    for (auto& io : context_.io_threads)
      result.push_back(io.get());
    return result;
  }

  caf::error open_transport() {
    auto& settings = context_.settings;
    auto transport = cluster_transport::open(system_, transport_part(settings));
    if (!transport)
      return std::move(transport.error());
    context_.port = std::make_unique<cluster_port>(
      std::move(*transport),
      endpoint{settings.node.address, settings.cluster.port});
    return caf::none;
  }

  void make_api() {
    auto limits = api_limits(context_.settings);
    limits.max_connections = descriptors_.api_connections;
    api_ = std::make_unique<http_server_group>(
      io_threads(), api_server_config(limits, gateway_settings()),
      [this](io_thread& io) { return gateway_handlers(io, context_.names); });
  }

  gateway_config gateway_settings() const {
    return gateway_part(context_.settings, context_.self, context_.started_at);
  }

  child_spec gateway_child(std::uint32_t index) {
    return {
      gateway_name(index),
      [this, index](
        caf::actor_system& system) -> caf::expected<caf::strong_actor_ptr> {
        auto config = gateway_settings();
        if (auto problem = config.validate())
          return problem;
        gateway_sources sources{
          context_.state,   context_.names, [this] { return api_->totals(); },
          draining_,        context_.roles, context_.disk,
          context_.obstacle};
        return caf::actor_cast<caf::strong_actor_ptr>(
          spawn_http_gateway(system, config, sources, index));
      }};
  }

  void supervise() {
    auto& from = context_.settings.cluster;
    supervisor_config config;
    config.restart.automatic = from.auto_restart;
    config.restart.max_restarts = from.max_restarts;
    config.restart.window = from.restart_window;
    config.restart.delay = from.restart_delay;
    auto children = core_children(context_);
    children.push_back(
      {"body_reader", [](caf::actor_system& system) {
         return caf::actor_cast<caf::strong_actor_ptr>(
           spawn_body_reader(system, [] { ::malloc_trim(0); }));
       }});
    for (std::uint32_t i = 0; i < context_.self.io_threads; ++i)
      children.push_back(gateway_child(i));
    supervisor_ =
      spawn_supervisor(system_, config, std::move(children), context_.names,
                       [this](const std::string&) { stop_.fail(); });
    context_.names->put("supervisor",
                        caf::actor_cast<caf::strong_actor_ptr>(supervisor_));
  }

  bool is_ready() const {
    return obstacles_to_readiness(
             *context_.state->get(), context_.self.id,
             {false, context_.roles->held(), context_.disk->get().trouble})
      .empty();
  }

  caf::error start_proxies() {
    if (!ports_.proxy)
      return caf::none;
    auto config = proxy_part(context_.settings);
    config.max_connections = descriptors_.proxy_connections;
    config.descriptors =
      std::make_shared<descriptor_budget>(descriptors_.proxy);
    if (auto problem = config.validate())
      return problem;
    caf::error failure;
    for (auto& io : context_.io_threads) {
      proxies_.push_back(
        std::make_unique<proxy>(*io, config, context_.routing, context_.names));
      on_thread(*io, [&] {
        if (auto problem = proxies_.back()->start(*ports_.proxy))
          failure = problem;
      });
    }
    return failure;
  }

  /// Whoever connects from now on is refused, and nobody who got through before
  /// is reset. The servers still accept those from their duplicates.
  void stop_listening(std::optional<listening_port>& port) {
    if (!port)
      return;
    port->ignore_newcomers();
    wait_until(clock::now() + handshake_time, [] { return false; });
    port.reset();
  }

  /// Returns how many are not drained yet.
  std::shared_ptr<std::atomic<std::size_t>> drain_proxies(milliseconds limit) {
    for (std::size_t i = 0; i < proxies_.size(); ++i)
      on_thread(*context_.io_threads[i],
                [this, i] { proxies_[i]->stop_accepting(); });
    auto busy = std::make_shared<std::atomic<std::size_t>>(proxies_.size());
    for (std::size_t i = 0; i < proxies_.size(); ++i)
      context_.io_threads[i]->post([this, i, limit, busy] {
        proxies_[i]->drain(limit, [busy] { --*busy; });
      });
    return busy;
  }

  template <class Condition>
  void wait_until(clock::time_point deadline, Condition holds) {
    while (!hurry_ && !holds() && clock::now() < deadline) {
      hurry_ = stop_.stop_comes_within(milliseconds{10});
      if (hurry_)
        spdlog::warn("node: told to stop, does not wait any longer");
    }
  }

  void close_proxies() {
    for (std::size_t i = 0; i < proxies_.size(); ++i)
      on_thread(*context_.io_threads[i], [this, i] { proxies_[i].reset(); });
    proxies_.clear();
  }

  /// Runs `task` on that thread and waits for it.
  template <class Task>
  static void on_thread(io_thread& io, Task task) {
    countdown finished{1};
    io.post([&] {
      task();
      finished.arrive();
    });
    finished.wait_for(milliseconds{60'000});
  }

  enum class departure { under_way, accepted, impossible };

  /// Returns what will tell what became of it.
  std::shared_ptr<std::atomic<departure>> leave(milliseconds limit) {
    auto settled =
      std::make_shared<std::atomic<departure>>(departure::under_way);
    auto membership = context_.names->local<membership_actor>("membership");
    if (!membership) {
      settled->store(departure::impossible);
      return settled;
    }
    leave_request request{context_.self.id, context_.self.incarnation};
    system_.spawn([=](caf::event_based_actor* self) {
      self->request(membership, limit, request)
        .then(
          [settled](const done&) {
            spdlog::info("node: left the cluster");
            settled->store(departure::accepted);
          },
          [settled](const caf::error& problem) {
            spdlog::info("node: stops without leaving: {}",
                         describe(problem).detail);
            settled->store(departure::impossible);
          });
    });
    return settled;
  }

  /// How many entries the others have not taken over yet.
  std::uint64_t cached_entries() {
    caf::scoped_actor asker{system_};
    std::uint64_t result = 0;
    for (std::uint32_t i = 0; i < context_.self.io_threads; ++i) {
      auto shard = context_.names->local<cache_shard_actor>(
        "cache_shard/" + std::to_string(i));
      if (shard)
        asker->request(shard, milliseconds{500}, get_cache_stats{})
          .receive([&](const cache_stats& stats) { result += stats.keys; },
                   [](const caf::error&) {});
    }
    return result;
  }

  void stop_actors() {
    if (!supervisor_)
      return;
    caf::scoped_actor waiter{system_};
    waiter->request(supervisor_, milliseconds{30'000}, shut_down{})
      .receive([](const done&) {},
               [](const caf::error& problem) {
                 spdlog::error("node: the actors did not stop: {}",
                               caf::to_string(problem));
               });
    context_.names->erase("supervisor");
    supervisor_ = nullptr;
  }

  caf::actor_system& system_;
  shutdown_signal& stop_;
  node_context context_;
  std::shared_ptr<std::atomic<bool>> draining_ =
    std::make_shared<std::atomic<bool>>(false);
  bool hurry_ = false;
  client_ports& ports_;
  const descriptor_plan descriptors_;
  std::unique_ptr<http_server_group> api_;
  std::vector<std::unique_ptr<proxy>> proxies_;
  supervisor_actor supervisor_;
};

bool report(const caf::error& problem) {
  if (problem)
    spdlog::critical("{}", describe(problem).detail);
  return static_cast<bool>(problem);
}

/// The next order that can be carried out.
order next_order(shutdown_signal& signal, const successor& next) {
  for (;;) {
    auto given = signal.wait();
    if (given != order::restart)
      return given;
    spdlog::info("node: is to restart");
    auto problem = next.check();
    if (!problem)
      return given;
    spdlog::error("node: goes on as it is: {}", describe(problem).detail);
  }
}

/// Returns why it ended.
order run(const configuration& settings, shutdown_signal& signal,
          const successor& next, client_ports& ports) {
  auto own =
    identity::open(settings.node.data_directory, settings.cluster.name);
  if (!own) {
    report(own.error());
    return order::failed;
  }
  if (settings.cluster.insecure && !settings.tls.enabled())
    spdlog::info("cluster.insecure is set: whoever reaches port {} of {} can "
                 "take part in the cluster",
                 settings.cluster.port, settings.node.address);
  auto limit = raise_descriptor_limit();
  if (auto shortage = descriptor_shortage(settings, limit))
    spdlog::warn("{}", *shortage);
  node_system_config config{settings.cluster.suspect_timeout};
  caf::actor_system system{config};
  node this_node{system, settings, *own,
                 signal, ports,    plan_descriptors(settings, limit)};
  auto why =
    report(this_node.start()) ? order::failed : next_order(signal, next);
  // Told to stop while it drained: then it does not come back.
  if (why != order::failed && this_node.drain(why))
    why = signal.wait();
  this_node.stop();
  spdlog::info("node {} stopped", settings.node.name);
  return why;
}

} // namespace

int serve(const configuration& settings) {
  // What large values and answers took goes back to the system at once; glibc
  // would keep what it once saw freed, and more with each larger block.
  ::mallopt(M_MMAP_THRESHOLD, 512 << 10);
  shutdown_signal signal;
  const successor next;
  logging_config logging;
  logging.level = settings.log.level;
  logging.directory = settings.node.log_directory;
  if (report(start_logging(logging)))
    return 1;
  client_ports ports{received_sockets()};
  auto why = run(settings, signal, next, ports);
  if (why == order::restart) {
    spdlog::info("node {} restarts with its listening sockets",
                 settings.node.name);
    stop_logging();
    why = order::failed;
    report(next.take_over(ports.sockets()));
  }
  stop_logging();
  return why == order::failed ? 1 : 0;
}

} // namespace troupe

#include "discovery/transport/gate.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <pthread.h>

#include "discovery/transport/dialling.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

using boost::system::error_code;
using std::chrono::steady_clock;
namespace asio = boost::asio;

/// Between two attempts to accept after one that failed, and between two looks
/// at what the log owes.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::milliseconds log_pause{1000};

} // namespace

gate::gate(gate_config config, std::unique_ptr<credential_source> own)
  : config_(config), own_(std::move(own)), work_(context_.get_executor()),
    accept_timer_(context_), half_open_(config.half_open),
    refusals_(config.log), timer_(context_) {
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), "cluster/gate");
    context_.run();
  }};
}

gate::~gate() {
  work_.reset();
  context_.stop();
  thread_.join();
}

caf::error gate::listen(const endpoint& where, entry_handler on_entry) {
  tcp::acceptor made{context_};
  try {
    tcp::endpoint address{asio::ip::make_address(where.host), where.port};
    made.open(address.protocol());
    made.set_option(asio::socket_base::reuse_address{true});
    made.bind(address);
    made.listen();
  } catch (const boost::system::system_error& problem) {
    return make_error(errc::unavailable, "can't listen on cluster port "
                                           + to_string(where) + ": "
                                           + problem.code().message());
  }
  auto kept = std::make_shared<tcp::acceptor>(std::move(made));
  asio::post(context_, [this, kept, on_entry = std::move(on_entry)] {
    on_entry_ = on_entry;
    acceptor_.emplace(std::move(*kept));
    accept_next();
  });
  return caf::none;
}

void gate::close_listener() {
  asio::post(context_, [this] { acceptor_.reset(); });
}

void gate::dial(endpoint where, handshake::handler done) {
  asio::post(context_, [this, where = std::move(where),
                        done = std::move(done)]() mutable {
    std::make_shared<dialling>(context_, std::move(where), names_, own_.get(),
                               std::move(done))
      ->start(config_.dial_deadline);
  });
}

// -- entrants -----------------------------------------------------------------

void gate::accept_next() {
  if (!acceptor_)
    return;
  acceptor_->async_accept(
    [this](const error_code& problem, tcp::socket newcomer) {
      if (problem == asio::error::operation_aborted)
        return;
      // Whatever else is wrong is so at the next attempt as well: descriptors,
      // of the process or of the system, memory, or the socket itself.
      auto broke_before = problem == asio::error::connection_aborted;
      if (problem && !broke_before) {
        note_refusal("everybody", "can't accept: " + problem.message());
        return accept_later();
      }
      if (!problem)
        receive(std::move(newcomer));
      accept_next();
    });
}

void gate::accept_later() {
  accept_timer_.expires_after(accept_pause);
  accept_timer_.async_wait([this](const error_code& problem) {
    if (!problem)
      accept_next();
  });
}

void gate::receive(tcp::socket newcomer) {
  error_code gone;
  auto remote = newcomer.remote_endpoint(gone);
  if (gone)
    return;
  auto address = remote.address().to_string();
  auto [id, dropped] =
    half_open_.admit(limit_key(address), steady_clock::now());
  auto entrant = std::make_shared<handshake>(
    std::move(newcomer), tls_session::side::server, own_.get(),
    [this, id = id, address](handshake::outcome what) {
      entrant_finished(id, address, std::move(what));
    });
  entrants_.emplace(id, entrant);
  entrant->start();
  if (dropped) {
    auto& limits = half_open_.limits();
    drop(*dropped,
         make_error(errc::overloaded,
                    fmt::format("made way for a newer connection, at most {} "
                                "of an address and {} of all may wait for "
                                "their handshake",
                                limits.per_address, limits.total)));
  }
  arm_timer();
}

void gate::entrant_finished(half_open_table::id which,
                            const std::string& address,
                            handshake::outcome what) {
  half_open_.remove(which);
  entrants_.erase(which);
  if (auto entrant = std::get_if<established>(&what))
    on_entry_(std::move(*entrant));
  else
    note_refusal(address, describe(std::get<caf::error>(what)).detail);
}

void gate::drop(half_open_table::id which, caf::error why) {
  // It leaves `entrants_` meanwhile.
  if (auto i = entrants_.find(which); i != entrants_.end())
    std::shared_ptr {
      i->second
      } -> abandon(std::move(why));
}

void gate::note_refusal(const std::string& address, const std::string& reason) {
  if (auto line = refusals_.note(address, reason, steady_clock::now()))
    spdlog::warn("cluster port: {}", *line);
  arm_timer();
}

// -- time ---------------------------------------------------------------------

void gate::arm_timer() {
  auto next = half_open_.next_deadline();
  if (!next && !refusals_.empty())
    next = steady_clock::now() + log_pause;
  if (!next || (next_tick_ && *next_tick_ <= *next))
    return;
  next_tick_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([this](const error_code& problem) {
    if (!problem)
      tick();
  });
}

void gate::tick() {
  next_tick_.reset();
  auto now = steady_clock::now();
  for (auto which : half_open_.take_expired(now))
    drop(which, make_error(errc::timed_out,
                           fmt::format("did not finish its handshake within "
                                       "{} ms",
                                       config_.half_open.deadline.count())));
  for (auto& line : refusals_.take_due(now))
    spdlog::warn("cluster port: {}", line);
  arm_timer();
}

} // namespace troupe

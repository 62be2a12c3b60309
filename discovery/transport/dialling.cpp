#include "discovery/transport/dialling.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include "discovery/transport/dialer.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

using boost::system::error_code;
namespace asio = boost::asio;

} // namespace

dialling::dialling(asio::io_context& context, endpoint where,
                   name_lookup& names, credential_source* own,
                   handshake::handler done)
  : where_(std::move(where)), names_(names), own_(own), done_(std::move(done)),
    socket_(context), timer_(context) {
}

void dialling::start(std::chrono::milliseconds deadline) {
  timer_.expires_after(deadline);
  timer_.async_wait(
    [self = shared_from_this(), deadline](const error_code& problem) {
      if (!problem)
        self->fail(
          make_error(errc::timed_out, fmt::format("no connection within {} ms",
                                                  deadline.count())));
    });
  resolve();
}

void dialling::resolve() {
  error_code no_address;
  auto address = asio::ip::make_address(where_.host, no_address);
  if (!no_address)
    return connect({{address, where_.port}});
  // Needs no resolver (RFC 6761 §6.3).
  if (where_.host == "localhost")
    return connect({{asio::ip::address_v4::loopback(), where_.port},
                    {asio::ip::address_v6::loopback(), where_.port}});
  names_.start(where_.host, [self = shared_from_this()](
                              const name_lookup::addresses& found) {
    if (!self->done_)
      return;
    if (!found)
      return self->fail(make_error(errc::unavailable,
                                   "can't resolve " + self->where_.host + ": "
                                     + describe(found.error()).detail));
    std::vector<tcp::endpoint> endpoints;
    for (auto& address : *found)
      endpoints.emplace_back(address, self->where_.port);
    self->connect(std::move(endpoints));
  });
}

void dialling::connect(std::vector<tcp::endpoint> addresses) {
  // Asio keeps iterators.
  auto kept =
    std::make_shared<std::vector<tcp::endpoint>>(std::move(addresses));
  asio::async_connect(
    socket_, kept->begin(), kept->end(),
    [self = shared_from_this(), kept](const error_code& problem, auto) {
      if (!self->done_)
        return;
      if (problem == asio::error::connection_refused)
        self->fail(refused_connection("nothing listens there"));
      else if (problem)
        self->fail(make_error(errc::unavailable, problem.message()));
      else
        self->shake_hands();
    });
}

void dialling::shake_hands() {
  handshake_ = std::make_shared<handshake>(
    std::move(socket_), tls_session::side::client, own_,
    [self = shared_from_this()](handshake::outcome what) {
      self->finish(std::move(what));
    });
  handshake_->start();
}

void dialling::fail(caf::error why) {
  if (handshake_)
    handshake_->abandon(std::move(why));
  else
    finish(std::move(why));
}

void dialling::finish(handshake::outcome what) {
  if (!done_)
    return;
  auto done = std::exchange(done_, nullptr);
  // Both hold this.
  timer_.cancel();
  handshake_.reset();
  error_code ignored;
  socket_.close(ignored);
  done(std::move(what));
}

} // namespace troupe

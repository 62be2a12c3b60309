#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "messages/address.hpp"

namespace troupe {

/// The sockets of one TCP port, one for each io thread: the kernel spreads the
/// connections over them (SO_REUSEPORT). Servers accept from duplicates, so
/// that clients can queue up while there is no server, be it for a moment in
/// this process or until the next one goes on with the same sockets.
class listening_port {
public:
  /// Reserves the port without accepting connections yet: clients are refused
  /// until `listen`. Port 0 picks one.
  /// Errors: unavailable, with the address and the reason.
  static caf::expected<listening_port> bind(const endpoint& where,
                                            std::size_t count);

  /// Goes on with sockets that listen on `where` already, and owns them from
  /// now on. Makes more, up to `count`, where the sockets allow it; closes
  /// those beyond it, with the clients that wait there: nobody would accept
  /// them. Errors: unavailable (they are no such sockets; they are closed).
  static caf::expected<listening_port>
  adopt(const endpoint& where, const std::vector<int>& descriptors,
        std::size_t count);

  /// From now on clients can connect. Errors: unavailable.
  caf::error listen();

  /// The kernel drops the first packet of whoever connects from now on. Closing
  /// the sockets resets clients that got through and were not accepted yet; a
  /// moment after this there are no new ones.
  void ignore_newcomers();

  /// A duplicate of the `i`-th socket, in turn if there are fewer. The caller
  /// owns it; -1 when there are no descriptors left.
  int duplicate(std::size_t i) const;

  /// Makes an acceptor take its connections from a duplicate of the `i`-th
  /// socket.
  template <class Acceptor>
  boost::system::error_code give_to(Acceptor& acceptor, std::size_t i) const {
    boost::system::error_code failure;
    acceptor.assign(protocol(), duplicate(i), failure);
    if (!failure)
      acceptor.non_blocking(true, failure);
    return failure;
  }

  endpoint local() const;

  /// Of all sockets, still owned by this object.
  std::vector<int> descriptors();

private:
  explicit listening_port(const endpoint& where);

  boost::asio::ip::tcp protocol() const;
  caf::error refuse(const boost::system::error_code& why) const;
  boost::system::error_code add(const boost::asio::ip::tcp::endpoint& where);

  endpoint where_;
  // Never run; sockets need one.
  std::unique_ptr<boost::asio::io_context> context_;
  std::vector<boost::asio::ip::tcp::acceptor> sockets_;
};

} // namespace troupe

#pragma once

#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "discovery/transport/tls_session.hpp"

namespace troupe {

/// A connection to another node on which both sides know who the other is. Must
/// not outlive its gate: release the socket.
struct established {
  boost::asio::ip::tcp::socket socket;
  /// Null between nodes without certificates.
  std::unique_ptr<tls_session> tls;
};

} // namespace troupe

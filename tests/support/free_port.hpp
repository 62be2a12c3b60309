#pragma once

#include <cstdint>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace troupe {

/// A port of 127.0.0.1 on which nobody listens now.
inline std::uint16_t free_port() {
  using boost::asio::ip::tcp;
  boost::asio::io_context context;
  tcp::acceptor probe{context, {boost::asio::ip::address_v4::loopback(), 0}};
  return probe.local_endpoint().port();
}

} // namespace troupe

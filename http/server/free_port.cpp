#include "http/server/free_port.hpp"

#include <boost/asio/io_context.hpp>

namespace troupe {

boost::system::error_code
check_port_free(const boost::asio::ip::tcp::endpoint& where) {
  using boost::asio::ip::tcp;
  boost::asio::io_context context;
  tcp::acceptor probe{context};
  boost::system::error_code failure;
  probe.open(where.protocol(), failure);
  if (!failure)
    probe.set_option(tcp::acceptor::reuse_address{true}, failure);
  if (!failure)
    probe.bind(where, failure);
  return failure;
}

} // namespace troupe

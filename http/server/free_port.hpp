#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace troupe {

/// Whether nobody listens there. To be asked before listeners are bound with
/// SO_REUSEPORT, which would share the port of another process of the same user
/// without a word.
boost::system::error_code
check_port_free(const boost::asio::ip::tcp::endpoint& where);

} // namespace troupe

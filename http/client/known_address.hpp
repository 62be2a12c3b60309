#pragma once

#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "messages/cluster_state.hpp"

namespace troupe {

/// The addresses of a host that needs no resolver: its own if it is an address
/// literal, the loopback addresses if it is `localhost` or a name below it
/// (RFC 6761 §6.3). Empty for every other name.
std::vector<boost::asio::ip::tcp::endpoint>
known_addresses(const endpoint& where);

} // namespace troupe

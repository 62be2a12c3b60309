#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "discovery/transport/handshake.hpp"
#include "discovery/transport/name_lookup.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

/// One outgoing connection: from a host's name over its addresses to
/// `established`, within a deadline for all of it. For one thread.
class dialling : public std::enable_shared_from_this<dialling> {
public:
  dialling(boost::asio::io_context& context, endpoint where, name_lookup& names,
           credential_source* own, handshake::handler done);

  void start(std::chrono::milliseconds deadline);

private:
  using tcp = boost::asio::ip::tcp;

  void resolve();
  void connect(std::vector<tcp::endpoint> addresses);
  void shake_hands();
  void fail(caf::error why);
  void finish(handshake::outcome what);

  endpoint where_;
  name_lookup& names_;
  credential_source* own_;
  handshake::handler done_;
  tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<handshake> handshake_;
};

} // namespace troupe

#pragma once

#include <cstdint>
#include <memory>

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/scribe.hpp>

#include "discovery/transport/tls_session.hpp"
#include "messages/strays.hpp"

namespace troupe {

/// How large a message between nodes may be. CAF makes room for as many bytes
/// as a header of 32 announces, up to 4 GiB.
struct message_limit {
  std::uint64_t max_bytes = 64 << 20;
  /// The log's line about peers that announced more. For the multiplexer's
  /// thread.
  folded_line refusals;
};

/// Hands an established connection to CAF, whose multiplexer reads and writes
/// it inline. It ends when the peer announces a message above `limit`.
/// @param socket the connection's; CAF owns it from here on.
/// @param tls its session, whose handshake is over; null: there is none.
caf::io::scribe_ptr
make_session_scribe(caf::io::network::default_multiplexer& multiplexer,
                    int socket, std::unique_ptr<tls_session> tls,
                    std::shared_ptr<message_limit> limit);

} // namespace troupe
